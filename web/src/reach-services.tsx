import type { ReachHostView, ReachServiceView, ReachView } from "./api.gen";
import { count, plural } from "./bits";
import { between } from "./likely";
import { openFrom } from "./place";
import { Way } from "./reach-way";

interface Chosen {
  reach: ReachView;
  chosen: string | null;
  choose: (service: string | null) => void;
  chooseZone: (zone: string) => void;
}

/** The services of the business: where they stand, how far an attacker gets to them, and what they need. */
export function Services({ reach, chosen, choose, chooseZone }: Chosen) {
  const more = reach.services_in_all - reach.services.length;
  return (
    <>
      <h3 className="reach-head">Services</h3>
      <ul className="rows ruled reach-services">
        {reach.services.map((service) => (
          <li key={service.name} data-testid="service-row" data-service={service.name}>
            <button type="button" className="row service-grid" aria-expanded={service.name === chosen} onClick={() => choose(service.name === chosen ? null : service.name)}>
              <span className="cell what">
                {service.name}
                {service.criticality && <span className="sub">criticality {service.criticality}</span>}
              </span>
              <span className="cell">{stands(service)}</span>
              <span className="cell right number">{plural(service.assets, "asset")}</span>
              <span className="cell right number" title="risk points that the open directives remove on its assets">
                {service.removes} points
              </span>
            </button>
            {service.name === chosen && <Service reach={reach} service={service} choose={choose} chooseZone={chooseZone} />}
          </li>
        ))}
        {more > 0 && <li className="hint below">{count(more)} more, to which an attacker gets less likely.</li>}
      </ul>
    </>
  );
}

/** Where it stands, and how likely an attacker is where that is worst. */
function stands({ assets, zones: [worst, ...others] }: ReachServiceView): string {
  if (!worst) return assets === 0 ? "nothing carries it" : "stands in no zone: nothing is said of it";
  const zones = [worst, ...others].map(({ zone }) => zone).join(", ");
  return `in ${zones}: ${worst.reached.most === 0 ? "no way leads there" : `an attacker is there with ${between(worst.reached)}`}`;
}

function Service({ reach, service, choose, chooseZone }: { reach: ReachView; service: ReachServiceView; choose: (service: string) => void; chooseZone: (zone: string) => void }) {
  const [worst] = service.zones;
  const path = reach.zones.find(({ name }) => name === worst?.zone)?.path ?? [];
  return (
    <div className="reach-zone" data-testid="service-detail">
      <dl className="facts">
        {service.team && (
          <>
            <dt>Team</dt>
            <dd>{service.team}</dd>
          </>
        )}
        <dt>Stands in</dt>
        <dd>
          {service.zones.length === 0 && "no zone"}
          {service.zones.map(({ zone, assets, reached }, at) => (
            <span key={zone}>
              {at > 0 && "; "}
              <button type="button" className="link" data-testid="to-zone" onClick={() => chooseZone(zone)}>
                {zone}
              </button>{" "}
              ({plural(assets, "asset")}, an attacker is there with {between(reached)})
            </span>
          ))}
          {service.unplaced > 0 && <span>; {plural(service.unplaced, "asset stands", "assets stand")} in no zone, which does not mean “not reached”</span>}
        </dd>
        {service.derived > 0 && (
          <>
            <dt>Derived</dt>
            <dd data-testid="service-derived">
              Of {count(service.derived)} of {plural(service.assets, "asset")} nobody states the zone: addresses and networks tell it. <code>zone</code> in an entry or rule of the context confirms it.
            </dd>
          </>
        )}
        <dt>Needs</dt>
        <dd>{service.depends_on.length === 0 ? "nothing that anybody states" : <Links names={service.depends_on} choose={choose} />}</dd>
        {service.needed_by.length > 0 && (
          <>
            <dt>Needed by</dt>
            <dd>
              <Links names={service.needed_by} choose={choose} />
            </dd>
          </>
        )}
        <dt>To do</dt>
        <dd>
          {service.directives === 0 ? "no open directive is about its assets" : `${plural(service.directives, "open directive")} on its assets ${service.directives === 1 ? "removes" : "remove"} ${service.removes} risk points`}
        </dd>
        <dt>Hosts</dt>
        <dd>
          <Hosts hosts={service.hosts} of={service.assets} />
        </dd>
      </dl>
      {path.length > 0 && (
        <>
          <h3>The likeliest way to it, into {worst?.zone}</h3>
          <Way path={path} />
        </>
      )}
    </div>
  );
}

/** Services by their names, each leading there. */
export function Links({ names, choose }: { names: string[]; choose: (service: string) => void }) {
  return names.map((name, at) => (
    <span key={name}>
      {at > 0 && ", "}
      <button type="button" className="link" data-testid="to-service" onClick={() => choose(name)}>
        {name}
      </button>
    </span>
  ));
}

/** Hosts that are named here; the list of assets has the others. */
const FIT = 8;

/** Hosts by their names, each leading there; those that are not named are counted. */
export function Hosts({ hosts: all, of }: { hosts: ReachHostView[]; of: number }) {
  const hosts = all.slice(0, FIT);
  if (hosts.length === 0) return "none";
  return (
    <>
      {hosts.map(({ id, name }, at) => (
        <span key={id}>
          {at > 0 && ", "}
          <button type="button" className="link" data-testid="to-host" onClick={() => openFrom(id)}>
            {name}
          </button>
        </span>
      ))}
      {of > hosts.length && ` and ${count(of - hosts.length)} more`}
    </>
  );
}
