import type { ReachServiceView, ReachView, ZoneView } from "./api.gen";
import { count, plural } from "./bits";
import { between } from "./likely";

/** Most zones that a picture holds; the list has the others. */
const MOST = 24;
const BOX = { width: 168, height: 66 };
const GAP = { across: 96, down: 20 };
/** Room around the boxes, in which lines pass those that stand between. */
const EDGE = 24;
/** How far below a flow a need is drawn, so that neither covers the other. */
const BESIDE = 12;

interface Put {
  zone: ZoneView;
  x: number;
  y: number;
}

const begins = (reach: ReachView, zone: ZoneView): boolean => (reach.within == null ? zone.entry > 0 : zone.name === reach.within);

/** The zones to draw: where attacks begin, then those that lose most. */
function shown(reach: ReachView): ZoneView[] {
  const first = reach.zones.filter((zone) => begins(reach, zone));
  return [...first, ...reach.zones.filter((zone) => !begins(reach, zone))].slice(0, MOST);
}

/** By the steps of the likeliest way; else by how many flows lead there. Those to which no flow leads stand last. */
function columns(reach: ReachView, zones: ZoneView[]): ZoneView[][] {
  const depth = new Map(zones.filter((zone) => begins(reach, zone) || zone.path.length > 0).map((zone) => [zone.name, zone.path.length]));
  let edge = [...depth.keys()];
  for (let at = 1; edge.length > 0; at += 1) {
    edge = [...new Set(reach.flows.filter((flow) => edge.includes(flow.from) && !depth.has(flow.to)).map((flow) => flow.to))];
    for (const name of edge) depth.set(name, at);
  }
  const last = Math.max(0, ...depth.values()) + 1;
  const all: ZoneView[][] = [];
  for (const zone of zones) (all[depth.get(zone.name) ?? last] ??= []).push(zone);
  return all.filter((column) => column !== undefined);
}

function layOut(reach: ReachView): { puts: Map<string, Put>; width: number; height: number } {
  const all = columns(reach, shown(reach));
  const tall = Math.max(1, ...all.map((column) => column.length));
  const height = tall * (BOX.height + GAP.down) - GAP.down + 2 * EDGE;
  const puts = new Map<string, Put>();
  all.forEach((column, across) => {
    const room = column.length * (BOX.height + GAP.down) - GAP.down;
    column.forEach((zone, down) => {
      puts.set(zone.name, { zone, x: EDGE + across * (BOX.width + GAP.across), y: (height - room) / 2 + down * (BOX.height + GAP.down) });
    });
  });
  return { puts, width: all.length * (BOX.width + GAP.across) - GAP.across + 2 * EDGE, height };
}

/** From the side of one box to the side of another: past those between by the edge of the picture, and beside those that stand below each other. */
function line(from: Put, to: Put, height: number): string {
  const [y1, y2] = [from.y + BOX.height / 2, to.y + BOX.height / 2];
  if (to.x > from.x) {
    const [x1, x2] = [from.x + BOX.width, to.x - 6];
    const bend = (x2 - x1) / 2;
    if (to.x - from.x > BOX.width + GAP.across) {
      // A bow comes three quarters of the way to where it is drawn.
      const edge = y1 <= height / 2 ? -EDGE / 3 : height + EDGE / 3;
      return `M${x1} ${y1}C${x1 + bend / 2} ${edge} ${x2 - bend / 2} ${edge} ${x2} ${y2}`;
    }
    return `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`;
  }
  if (to.x === from.x) {
    const [x, bow] = [from.x + BOX.width, GAP.across / 2];
    return `M${x} ${y1 + 6}C${x + bow} ${y1} ${x + bow} ${y2} ${x + 6} ${y2 - 6}`;
  }
  const [x1, x2] = [from.x, to.x + BOX.width + 6];
  const bend = (x1 - x2) / 2;
  return `M${x1} ${y1 + 10}C${x1 - bend} ${y1 + 10} ${x2 + bend} ${y2 + 10} ${x2} ${y2 + 10}`;
}

/** The services of which hosts stand in a zone. */
const servicesIn = ({ services }: ReachView, zone: string): string[] => services.filter(({ zones }) => zones.some((one) => one.zone === zone)).map(({ name }) => name);

/** What a service needs that stands in another zone: from each zone of the one to each of the other. */
function needs(reach: ReachView, service: ReachServiceView): { from: string; to: string; of: string }[] {
  return service.depends_on.flatMap((of) => {
    const zones = reach.services.find(({ name }) => name === of)?.zones ?? [];
    return service.zones.flatMap(({ zone: from }) => zones.filter(({ zone }) => zone !== from).map(({ zone: to }) => ({ from, to, of })));
  });
}

/** How likely an attacker crosses, in three steps that are drawn apart. */
function weight(most: number | undefined): "none" | "low" | "high" {
  if (most === undefined || most === 0) return "none";
  return most < 100_000 ? "low" : "high";
}

/** The zones and what flows between them, from where attacks begin on the left. The list beside says the same in words. */
export function ReachMap({ reach, chosen, service, choose }: { reach: ReachView; chosen: string | null; service: ReachServiceView | undefined; choose: (zone: string) => void }) {
  const { puts, width, height } = layOut(reach);
  const flows = reach.flows.flatMap((flow) => {
    const [from, to] = [puts.get(flow.from), puts.get(flow.to)];
    return from && to ? [{ flow, from, to }] : [];
  });
  const needed = (service ? needs(reach, service) : []).flatMap(({ from, to, of }) => {
    const [one, other] = [puts.get(from), puts.get(to)];
    return one && other ? [{ from: one, to: other, of }] : [];
  });
  const carries = (zone: string): boolean | undefined => service?.zones.some((one) => one.zone === zone) || undefined;
  return (
    <div className="reach-map" tabIndex={0} role="group" aria-label="Map of zones">
      <svg viewBox={`0 0 ${width} ${height}`} width={width} height={height} role="img" aria-label={`${plural(puts.size, "zone")} and ${plural(flows.length, "flow")} between them`} data-testid="reach-map">
        <defs>
          {(["none", "low", "high"] as const).map((step) => (
            <marker key={step} id={`reach-tip-${step}`} viewBox="0 0 8 8" refX="6" refY="4" markerWidth="7" markerHeight="7" orient="auto" markerUnits="userSpaceOnUse">
              <path d="M0 0 8 4 0 8z" className="tip" data-weight={step} />
            </marker>
          ))}
        </defs>
        {flows.map(({ flow, from, to }) => (
          <path key={`${flow.from} ${flow.to}`} d={line(from, to, height)} className="flow" data-testid="reach-flow" data-weight={weight(flow.takes?.most)} markerEnd={`url(#reach-tip-${weight(flow.takes?.most)})`}>
            <title>
              {`${flow.from} to ${flow.to}: ${flow.passes.join("; ")} may pass; ${flow.takes ? `a host is taken with ${between(flow.takes)}` : "nothing that is open listens there"}`}
            </title>
          </path>
        ))}
        {needed.map(({ from, to, of }) => (
          <path key={`${from.zone.name} ${to.zone.name} ${of}`} d={line(from, to, height)} className="need" data-testid="reach-need" transform={`translate(0 ${BESIDE})`}>
            <title>{`${service?.name} in ${from.zone.name} needs ${of} in ${to.zone.name}`}</title>
          </path>
        ))}
        {[...puts.values()].map(({ zone, x, y }) => (
          <g key={zone.name} transform={`translate(${x} ${y})`} className="zone" data-testid="reach-zone" data-zone={zone.name} data-chosen={zone.name === chosen || undefined} data-carries={carries(zone.name)} onClick={() => choose(zone.name)}>
            <title>{[`${zone.name}: an attacker is there with ${between(zone.reached)}`, ...servicesIn(reach, zone.name)].join("; ")}</title>
            <rect width={BOX.width} height={BOX.height} rx="4" className="box" />
            <text x="10" y="19" className="name">{short(zone.name)}</text>
            <text x="10" y="36" className="of">{begins(reach, zone) && zone.assets === 0 ? "attacks begin here" : `${count(zone.assets)} · ${between(zone.reached)}`}</text>
            <text x="10" y="52" className="of" data-testid="reach-zone-services">{fitting(servicesIn(reach, zone.name))}</text>
            <rect y={BOX.height - 5} width={BOX.width} height="5" className="scale" />
            <rect y={BOX.height - 5} width={(BOX.width * zone.reached.most) / 1_000_000} height="5" className="most" />
            <rect y={BOX.height - 5} width={(BOX.width * zone.reached.least) / 1_000_000} height="5" className="least" />
          </g>
        ))}
      </svg>
      {reach.zones_in_all > puts.size && <p className="hint below">The picture holds {count(puts.size)} of {plural(reach.zones_in_all, "zone")}: those that lose most.</p>}
    </div>
  );
}

const FIT = 22;
const short = (name: string): string => (name.length > FIT ? `${name.slice(0, FIT - 1)}…` : name);

/** As many names as fit, and how many do not. */
function fitting(names: string[]): string {
  for (let shown = names.length; shown > 0; shown -= 1) {
    const more = names.length - shown;
    const text = names.slice(0, shown).join(", ") + (more > 0 ? ` +${more}` : "");
    if (text.length <= FIT) return text;
  }
  return names.length > 1 ? plural(names.length, "service") : short(names[0] ?? "");
}
