import { useState } from "react";

import { getReach } from "./api";
import type { ClosedFlowView, ReachView, ZoneView } from "./api.gen";
import { count, Note, plural, Section } from "./bits";
import { Choose } from "./find";
import { between, percent } from "./likely";
import { openFrom } from "./place";
import { ReachMap } from "./reach-map";
import { Hosts, Links, Services } from "./reach-services";
import { Way } from "./reach-way";
import { useInSight, useLoaded } from "./use";

/** How far an attacker gets, by which way, and which flow is worth closing. */
export function Reach({ version }: { version: string }) {
  // The whole estate is solved for it: not for whoever looks elsewhere.
  const [place, seen] = useInSight(version);
  return (
    <div ref={place} className="lazy">
      {seen === null ? <Section id="reach" title={TITLE}>{null}</Section> : <Solved version={seen} />}
    </div>
  );
}

const TITLE = "How far an attacker gets";

function Solved({ version }: { version: string }) {
  const [within, setWithin] = useState("");
  // One zone or one service at a time.
  const [chosen, setChosen] = useState<{ zone: string | null; service: string | null }>({ zone: null, service: null });
  const chooseZone = (zone: string | null) => setChosen({ zone, service: null });
  const chooseService = (service: string | null) => setChosen({ zone: null, service });
  const loaded = useLoaded(getReach, within, version);
  const reach = loaded.is === "here" ? loaded.value : null;
  return (
    <Section
      id="reach"
      title={TITLE}
      busy={loaded.is === "loading"}
      aside={reach && reach.zones_in_all > 0 && <p className="hint">at most <b className="number">{reach.loses}</b> risk points within 30 days</p>}
    >
      {loaded.is === "missing" && <Note tone="bad">{loaded.why}</Note>}
      {reach?.assumed && (
        <Note tone="ask" testid="reach-assumed">
          Nobody states zones in which attacks begin: these are told from listeners and addresses alone, and no wall between hosts is seen. <code>tenon context apply</code> takes over what you know.
        </Note>
      )}
      {reach && reach.unplaced > 0 && (
        <Note tone="ask" testid="reach-unplaced">
          {plural(reach.unplaced, "asset stands", "assets stand")} in no zone: nothing is said of them, which does not mean “not reached”.
        </Note>
      )}
      {reach && (
        <>
          <div className="tools">
            <Choose
              label="Where the attacker is"
              testid="reach-within"
              value={within}
              of={[["", "from where attacks begin"], ...[...reach.zones].sort((a, b) => a.name.localeCompare(b.name)).map(({ name }): [string, string] => [name, `as if in ${name}`])]}
              onChoose={setWithin}
            />
          </div>
          <ReachMap reach={reach} chosen={chosen.zone} service={reach.services.find(({ name }) => name === chosen.service)} choose={(zone) => chooseZone(zone === chosen.zone ? null : zone)} />
          <Zones reach={reach} chosen={chosen.zone} choose={chooseZone} chooseService={chooseService} />
          {reach.services.length > 0 && <Services reach={reach} chosen={chosen.service} choose={chooseService} chooseZone={chooseZone} />}
          {reach.choke_points.length > 0 && <ChokePoints reach={reach} />}
        </>
      )}
    </Section>
  );
}

function Zones({ reach, chosen, choose, chooseService }: { reach: ReachView; chosen: string | null; choose: (zone: string | null) => void; chooseService: (service: string) => void }) {
  return (
    <ul className="rows ruled reach-zones">
      {reach.zones.map((zone) => (
        <li key={zone.name} data-testid="reach-row" data-zone={zone.name}>
          <button type="button" className="row reach-grid" aria-expanded={zone.name === chosen} onClick={() => choose(zone.name === chosen ? null : zone.name)}>
            <span className="cell what">{zone.name}</span>
            <span className="cell">
              {zone.entry > 0 ? `attacks begin here with ${percent(zone.entry)}` : zone.reached.most === 0 ? "no way leads there" : `an attacker is there with ${between(zone.reached)}`}
            </span>
            <span className="cell right number">{plural(zone.assets, "asset")}</span>
            <span className="cell right number" title="risk points at most">{zone.loses} points</span>
          </button>
          {zone.name === chosen && <Zone zone={zone} services={reach.services.filter((service) => service.zones.some((one) => one.zone === zone.name)).map(({ name }) => name)} chooseService={chooseService} />}
        </li>
      ))}
      {reach.zones_in_all > reach.zones.length && <li className="hint below">{count(reach.zones_in_all - reach.zones.length)} more, which lose less.</li>}
    </ul>
  );
}

function Zone({ zone, services, chooseService }: { zone: ZoneView; services: string[]; chooseService: (service: string) => void }) {
  const more = zone.exploits_in_all - zone.exploits.length;
  return (
    <div className="reach-zone" data-testid="reach-detail">
      {zone.assets > 0 && (
        <dl className="facts">
          <dt>Hosts</dt>
          <dd>
            <Hosts hosts={zone.hosts} of={zone.assets} />
          </dd>
          {services.length > 0 && (
            <>
              <dt>Services</dt>
              <dd>
                <Links names={services} choose={chooseService} />
              </dd>
            </>
          )}
        </dl>
      )}
      {zone.path.length > 0 && (
        <>
          <h3>The likeliest way there</h3>
          <Way path={zone.path} />
        </>
      )}
      <h3>What takes a host there</h3>
      {zone.exploits.length === 0 && <p className="empty">{zone.assets === 0 ? "Nothing of the estate stands there." : "Nothing known."}</p>}
      {zone.exploits.length > 0 && (
        <ul className="findings">
          {zone.exploits.map((one) => (
            <li key={`${one.vulnerability} ${one.package} ${one.listens.join()}`} className="finding" data-testid="reach-exploit">
              <p>
                <button type="button" className="link" onClick={() => openFrom(one.vulnerability)}>
                  <b>{one.vulnerability}</b>
                </button>{" "}
                in {one.package}
                {one.listens.length > 0 && <span className="faint"> on {one.listens.join(", ")}</span>}
              </p>
              <p className="sub">
                {plural(one.hosts, "host")} · delivered with {between(one.delivered)} · works with {percent(one.threat)} · loses at most {one.loses}
              </p>
            </li>
          ))}
        </ul>
      )}
      {more > 0 && <p className="hint">{count(more)} more, which lose less.</p>}
    </div>
  );
}

function ChokePoints({ reach }: { reach: ReachView }) {
  return (
    <div className="score-table reach-flows">
      <table data-testid="choke-points">
        <caption className="sub">Flows that most rests on</caption>
        <thead>
          <tr>
            <th scope="col">Closing</th>
            <th scope="col">saves, of {reach.loses}</th>
            <th scope="col">leaves</th>
            <th scope="col">likeliest ways by it</th>
          </tr>
        </thead>
        <tbody>
          {reach.choke_points.map((flow: ClosedFlowView) => (
            <tr key={`${flow.from} ${flow.to}`}>
              <th scope="row">
                {flow.from} to {flow.to}
              </th>
              <td>{flow.saves}</td>
              <td>{flow.leaves}</td>
              <td>{count(flow.paths)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
