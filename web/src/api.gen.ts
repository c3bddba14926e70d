// Generated from openapi.json by `npm run types`: do not edit.

/** A finding whose risk somebody accepts on this asset. */
export type AcceptedView = FindingView & {
  /** What stands against it meanwhile. */
  control: string;
  /** The exception: `exc_...`. */
  exception: string;
  /** Who answers for the risk. */
  owner: string;
  /** Until when, RFC 3339. */
  until: string;
};

/** One addressee, and how it stands with it. */
export type AddresseeView = {
  /** What it is told. */
  about: MessageTopic[];
  /** How many entries of the record it was not told of yet, nor found that there is nothing to tell. */
  behind: number;
  /** How messages are written. */
  form: MessageForm;
  /** How many seconds messages gather for one post. */
  gather_seconds: number;
  /** Only of these groups' work; absent where of everybody's. */
  groups?: string[] | null;
  /** The host that is posted to. The rest of the address is a secret. */
  host: string;
  /** When it took the last one, RFC 3339. */
  last?: string | null;
  /** Its name in the file. */
  name: string;
  /** How many posts it took since Tenon started. */
  posts: number;
  /** Why the next is not taken; it is tried again. */
  problem?: string | null;
  /** Whether posts are signed. */
  signed: boolean;
  /** How many messages wait. */
  waiting: number;
};

/** A regulation to adopt. */
export type AdoptRegulation = {
  /** The file, as `docs/regulations.md` describes it. */
  text: string;
};

/** An open directive that closes it. */
export type AnswerView = {
  /** On how many assets it has yet to close this vulnerability. */
  assets: number;
  /** When it is due, RFC 3339. */
  due?: string | null;
  /** Whose work it is. */
  group: string;
  /** Names of the first 20 of them. */
  hosts: string[];
  /** The directive. */
  id: string;
  /** What the table decides, as published. */
  outcome: string;
  /** Source package. */
  source: string;
  /** How many assets of all that it is for are in which stage, by its name. */
  stages: Record<string, number>;
  /** The action in words. */
  title: string;
  /** Source version to reach. */
  version: string;
};

/** Approval of what the rehearsals showed. */
export type Approval = {
  /**
   * Digests of the rehearsal reports that were looked at. When others wait by now nothing is approved
   * (`evidence-changed`). Without it whatever waits is approved.
   */
  reports?: string[] | null;
  /** Why evidence need not be preserved first, where the decision row asks for it. */
  waive_evidence?: string | null;
};

/** The signatures of people that a host asks for before any change. */
export type AskedView = {
  /** The keys that count, by their fingerprints (`SHA256:...`). */
  keys: string[];
  /** By how many different keys. */
  needed: number;
};

/** An asset with its findings. */
export type AssetDetail = AssetView & {
  /** Findings whose risk somebody accepts here. */
  accepted: AcceptedView[];
  /** Attacks that were seen on it and count, the last first. */
  attacks: DetectionView[];
  /** The controls that stand before it. */
  controls: ControlView[];
  /** Security updates that its own repositories offer. */
  offers: PackageView[];
  /** Open findings. */
  open: FindingView[];
  /** Everything that is said of it: by hand, in the context document, by the inventory. */
  said: SaidView[];
  /** Findings that a supplier's statement takes off the list. */
  suppressed: SuppressedView[];
};

/** An asset, and the open directives that are about it. */
export type AssetDirectivesView = {
  /** The directives, the most urgent first. */
  directives: OnAssetView[];
  /** Its group. */
  group: string;
  /** Its name. */
  hostname: string;
  /** Its id. */
  id: string;
  /** Whether the agents of that group may act: `observe` or `act`. */
  mode: string;
};

/** Whether an attacker reaches an asset. */
export type AssetReachView = {
  /** Nobody states zones in which attacks begin: they are told from listeners and addresses alone. */
  assumed: boolean;
  blast?: BlastView | null;
  /** The likeliest of them, at most 20. */
  findings: ReachedFindingView[];
  /** How many vulnerabilities are open on it that an attacker could use. */
  findings_in_all: number;
  /** The entry of the record after which it is so. */
  generation: number;
  /** The likeliest path into the zone. */
  path: AttackStepView[];
  reached?: BoundsView | null;
  taken?: BoundsView | null;
  /** The zone that it stands in; absent where it stands in none, and nothing more is known. */
  zone?: string | null;
};

/** An asset in one line. */
export type AssetView = {
  approval?: AskedView | null;
  /** Two hosts report under its key: what is shown is of one of them, and nothing is ordered. */
  cloned: boolean;
  /** What people state about it. */
  context: ContextView;
  /** Open findings. */
  findings: number;
  /** What its agent could not find out. */
  gaps: string[];
  /** Its group. */
  group: string;
  /** The name it goes by. */
  hostname: string;
  /** Its id. */
  id: string;
  /** Running kernel release. */
  kernel?: string | null;
  /** `observe` or `act`. */
  mode: string;
  /** Why it is not, or not wholly, assessed. Never read it as "not vulnerable". */
  not_assessed: string[];
  /** Why the agent cannot act, where it cannot. */
  observe_only?: string | null;
  /** The order that is out. */
  order?: string | null;
  /** The operating system's own name. */
  os?: string | null;
  /** Installed packages. */
  packages: number;
  /** Packages that ask for a reboot. */
  reboot_required_by: string[];
  /** The asset that stood on its machine before. */
  replaces?: string | null;
  /** When it last reported, RFC 3339. */
  reported?: string | null;
  retired?: RetiredView | null;
  /** Packages for which its own repositories offer a security update. */
  security_updates: number;
  /** Other updaters at work on this host. */
  updaters: string[];
};

/** A page of assets, in the order in which they enrolled. */
export type AssetsPage = {
  /** The place of the first item in the whole list, counted from 0. */
  from: number;
  /** Position of the journal that this shows. */
  generation: number;
  /** The page. */
  items: AssetView[];
  /** Where the next page begins; absent on the last. */
  next?: string | null;
  /** How many there are in all. */
  total: number;
};

/** Who is to do it. */
export type AssignBody = {
  /**
   * The name with which somebody signs in, or their id; `me` for whoever asks; any other name for somebody who does not sign
   * in, which the record then keeps; `null` for nobody.
   */
  to: string | null;
};

/** Who does a directive. */
export type AssigneeView = {
  /** Who said so; absent where the directive took over the work of an older version's, which they did. */
  by?: string | null;
  /** The name with which they sign in, or by which others call them. */
  person: string;
  /** Since when, RFC 3339. */
  since: string;
};

/** A step of an attack: a host of one zone is taken from another. */
export type AttackStepView = {
  /** The zone where the attacker is. */
  from: string;
  /** The first of them by enrolment, by name. */
  host: string;
  /** How many hosts are open to it there. */
  hosts: number;
  /** Where it listens: `tcp 443`. */
  listens: string[];
  /** In this package. */
  package: string;
  /** Probability that the exploit works, in parts per million. */
  threat: number;
  /** The zone of the host. */
  to: string;
  /** What is exploited. */
  vulnerability: string;
};

/** What is replayed. */
export type BacktestBody = {
  /** The text of a policy that nobody has set. */
  draft?: string | null;
  /** What of a policy file flags: `automatic` (where nothing is said), `emergency` or `allowed`. */
  flagging?: string | null;
  /** The first day `YYYY-MM-DD` or month `YYYY-MM`; the first of the history where nothing is said. */
  from?: string | null;
  /**
   * The policies, 1 to 8: built-in ones as `tenon backtest run` takes them (`epss>=0.1`), `in-force` for the policy that counts,
   * `draft` for the one in `draft`.
   */
  policies: string[];
  /** The last day or month; the last of the history where nothing is said. */
  to?: string | null;
};

/**
 * What a policy came to. Counts are summed over days: a CVE that stays flagged counts on each, and a listing on every day of the 30
 * before it.
 */
export type BacktestCountsView = {
  /** Flagged and listed, of everything that was listed. */
  coverage_of_all_percent?: string | null;
  /** Flagged and listed, of the eligible that were listed. */
  coverage_percent?: string | null;
  /** Flagged and listed, of the flagged. */
  efficiency_percent?: string | null;
  /** Flagged of the eligible, in percent with three decimals; absent of nothing. So are the others. */
  effort_percent?: string | null;
  /** CVEs that had a score and were not listed. */
  eligible: number;
  /** Those that the policy flagged. */
  flagged: number;
  /** All that were listed in the 30 days after. */
  listed: number;
  /** Eligible, and listed in the 30 days after. */
  positives: number;
  /** Flagged, and listed in the 30 days after. */
  true_positives: number;
  /** Listed in the 30 days after, without a score on the day: most were not public yet. */
  unscored_positives: number;
};

/** Some of the days. */
export type BacktestPartView = {
  /** Over them. */
  counts: BacktestCountsView;
  /** How many they are. */
  days: number;
  /** What these days have in common. */
  name: string;
};

/** A policy that can be replayed. */
export type BacktestPolicyView = {
  /** What it flags, in words. */
  flags: string;
  /** As it is asked for. */
  policy: string;
  /** Whether it reads records of CVEs. */
  records: boolean;
  /** Whether it is among those that are compared where nobody chooses. */
  usual: boolean;
};

/** What came of a replay. */
export type BacktestResultView = {
  /** How many days were replayed: those of scores. */
  days: number;
  /** SHA-256 over the files of the history; records are not among them. */
  digest: string;
  /** The first day that was replayed. */
  first: string;
  /** The first day that was asked for. */
  from: string;
  /** Days after a day within which a listing counts. */
  horizon_days: number;
  /** The last one. */
  last: string;
  /** Days of scores in the span whose next 30 days of listings are not complete. */
  left_out: number;
  /** The newest model of Tenon's forecast. */
  model?: string | null;
  /** What was compared, in the order of the question. */
  policies: ReplayedPolicyView[];
  /** The last one. */
  to: string;
  /** Lines of the files that could not be read. */
  unread_lines: number;
};

/** What a policy file said of CVEs, summed over days. */
export type BacktestSaidView = {
  /** It goes out by itself. */
  automatic: number;
  /** It is an emergency; counted beside the others. */
  emergency: number;
  /** It does not go out. */
  forbidden: number;
  /** The fields on which the undecided depend. */
  missing: string[];
  /** People approve, or evidence is asked for first. */
  people: number;
  /** The first rule that could match depends on a field that history does not have. */
  undecided: number;
};

/** Which history can be replayed, and which policies. */
export type BacktestView = {
  history?: HistoryView | null;
  /** How many are compared at most. */
  most: number;
  /** Policies to compare. Built-in ones may have other thresholds too. */
  policies: BacktestPolicyView[];
  /** Why it cannot be read, where one was named. */
  problem?: string | null;
};

/** One input of a priority. */
export type BasisView = {
  /** As of when. */
  as_of?: string | null;
  /** What is claimed. */
  fact: string;
  /** Who says so. */
  source: string;
};

/** What is lost once an attacker is on an asset, and so in its zone (blast radius). */
export type BlastView = {
  /** Risk points at most, in all zones together. */
  loses: string;
  /** The zones where most of it is, the largest first, at most 10; those of which nothing is lost are not told. */
  zones: BlastZoneView[];
};

/** What is lost in a zone once an attacker is in another. */
export type BlastZoneView = {
  /** Risk points at most. */
  loses: string;
  /** The zone. */
  name: string;
  /** Whether the attacker gets there, within 30 days. */
  reached: BoundsView;
};

/** Bounds of a probability within 30 days, in parts per million. */
export type BoundsView = {
  /** Of the likeliest single way: not less likely than this. */
  least: number;
  /** Of all ways together: not more likely than this. */
  most: number;
};

/** Cases that began and ended in a span. */
export type CasesView = {
  /** That began. */
  begun: number;
  /** That another hand fixed. */
  fixed_otherwise: number;
  /** That are open at its end. */
  open: number;
  /** That a person refused; the findings stay open. */
  refused: number;
  /** Whose host was retired. */
  retired: number;
  /** That Tenon changed, and a later report shows the fix. */
  verified: number;
  /** That are not offered or not needed any more, and no newer version took them over. */
  withdrawn: number;
};

/** Changes that were ordered and ended. */
export type ChangesView = {
  /** Failed. */
  failed: number;
  /** Refused by the host, where a person has to look. */
  refused: number;
  /** Taken back. */
  rolled_back: number;
  /** Not answered in time. */
  silent: number;
  /** Told to be done, and no later report shows it. */
  unconfirmed: number;
  /** A later report shows the fix. */
  verified: number;
};

/** A due-date rule at work. */
export type ClockView = {
  /** When it is due, RFC 3339. */
  due: string;
  /** Outcome as published. */
  outcome: string;
  /** Row as published. */
  row: number;
  /** Table and version. */
  rule: string;
  /** When its clock started, RFC 3339. */
  since: string;
  /** The vulnerability that is due first by this rule. */
  vulnerability: string;
};

/** What closing a flow comes to. */
export type ClosedFlowView = {
  /** Where connections begin. */
  from: string;
  /** Risk points that are left without it, at most. */
  leaves: string;
  /** Into how many zones the likeliest path uses it. */
  paths: number;
  /** Risk points that it saves. */
  saves: string;
  /** Where they end. */
  to: string;
};

/** Directives that ended. */
export type ClosingsView = {
  /** Every host shows the fix. */
  fixed: number;
  /** Refused by a person. */
  refused: number;
  /** A newer version took over. */
  superseded: number;
  /** Not needed on any host any more. */
  withdrawn: number;
};

/** The context document that counts. */
export type ContextDocumentView = {
  /** The document. */
  document: Record<string, unknown>;
  /** What nobody states. */
  unstated: UnstatedView[];
  /** Counts the documents that were taken over; 0 where there was none yet. */
  version: number;
};

/** What people state about an asset; absent is what nobody states. */
export type ContextView = {
  /** Who can reach it: `small`, `controlled` or `open` (SSVC System Exposure). */
  exposure?: string | null;
  /** What its failure would do to people and mission: `low`, `medium`, `high` or `very high` (SSVC Human Impact). */
  human_impact?: string | null;
  /** How far essential functions and public well-being depend on it: `low`, `medium` or `high` (CISA). */
  mission?: string | null;
};

/** A control to record. */
export type ControlBody = {
  /** Before these assets (`ast_...`). Say this, `group` or `zone`. */
  assets?: string[];
  /** Before those that are of this group now. */
  group?: string | null;
  /** `waf-rule`, `ips-rule`, `segmentation`, `feature-off` or `hardening`. */
  kind: string;
  /** How many of the attacks that come get through it, in parts per million: 10,000 to 990,000. */
  leaves_ppm: number;
  /** Who answers for it; whoever records it where nothing is said. */
  owner?: string | null;
  /** When it is to end, within 366 days: a time, RFC 3339, or a day, to whose end it lasts (UTC). */
  until: string;
  /**
   * The ways of attack that it stands against: `network`, `adjacent`, `local`, `physical`; all, where vulnerabilities are named and
   * nothing is said.
   */
  vectors?: string[];
  /** The vulnerabilities that it stands against; where none is named, all that are attacked in one of `vectors`. */
  vulnerabilities?: string[];
  /** What it is, and how it was tried. */
  what: string;
  /** Before those that stand in this zone now. */
  zone?: string | null;
};

/** Why a control ends before its time. */
export type ControlEndBody = {
  /** Why. */
  why: string;
};

/** What stands between attackers and some assets, against what, and how much of it gets through. */
export type ControlView = {
  /** Before how many assets. Those that enrol later are not meant. */
  assets: number;
  /** Who recorded it. */
  by: string;
  /** When it ended, RFC 3339. */
  ended?: string | null;
  /** Who said that it does not stand any more. */
  ended_by?: string | null;
  /** Why. */
  ended_why?: string | null;
  /** Names of the first 20 of them. */
  hosts: string[];
  /** `ctl_...` */
  id: string;
  /** `waf-rule`, `ips-rule`, `segmentation`, `feature-off` or `hardening`. */
  kind: string;
  /** How many of the attacks that come get through it, in parts per million. */
  leaves_ppm: number;
  /** Who answers for it. */
  owner: string;
  /** When, RFC 3339. */
  recorded: string;
  /** `standing`, `expired` or `withdrawn`. */
  state: string;
  /** When it ends by itself, RFC 3339. */
  until: string;
  /** The ways of attack (CVSS attack vector) that it stands against: `network`, `adjacent`, `local`, `physical`. */
  vectors: string[];
  /** The vulnerabilities that it stands against; none: all that are attacked in one of these ways. */
  vulnerabilities: string[];
  /** What it is, and how it was tried. */
  what: string;
};

/** Controls, the newest first. */
export type ControlsView = {
  /** The first of them. */
  items: ControlView[];
  /** How many there are in all. */
  total: number;
};

/** The row of the table that decided. */
export type DecisionView = {
  /** What is not known and was assumed. */
  assumed: string[];
  /** Whether evidence is asked for before anything changes. */
  forensics: boolean;
  /** What was put into the table, by column. */
  inputs: InputView[];
  /** Outcome as published. */
  outcome: string;
  /** Row as published. */
  row: number;
  /** Table and version. */
  table: string;
  /** The vulnerability whose row this is: of several the most urgent. */
  vulnerability?: string | null;
};

/** What a figure means. */
export type DefinitionView = {
  /** The name of the figure. */
  name: string;
  /** What it is, in a sentence. */
  says: string;
  /** The same for people. */
  title: string;
  /** In what it is told. */
  unit: string;
};

/**
 * A demonstration as programs and people see it. Every answer of the API says that it is one, too: the header
 * `tenon-demo`.
 */
export type DemoView = {
  /** What one can do, the first thing first. */
  can: string[];
  /** The directive that it is about. */
  directive?: string | null;
  /** What happens now. */
  happens: string;
  /** The record's time, RFC 3339: it runs ahead. */
  now: string;
  /** How many of its seconds pass in one. */
  pace: number;
  /** Which part of the story it is, from 1. */
  part: number;
  /** Of how many. */
  parts: number;
  /** Whether the story waits for somebody to do it. */
  waits: boolean;
};

/** An attack that was seen. */
export type DetectionBody = {
  /** The host: `ast_...`, its name, or one of its addresses. Not of a honeypot, which is none. */
  asset?: string | null;
  /** What was seen: `attack` (where nothing is said), `incident` (one that succeeded), or `honeypot` (on a decoy). */
  kind?: string | null;
  /** By what the sensor knows it. */
  reference?: string | null;
  /** When it was seen, RFC 3339; now where nothing is said. Only the last 30 days count. */
  seen?: string | null;
  /** Which sensor saw it; whoever reports it where nothing is said. */
  sensor?: string | null;
  /** The vulnerability. */
  vulnerability: string;
  /** What was seen, in up to 1,000 characters. */
  what: string;
  /** The zone in which a honeypot stands; nothing where it stands in none. */
  zone?: string | null;
};

/** What became of an alert. It tells sensors no more than they need. */
export type DetectionTaken = {
  /** The detection that tells of it: `det_...`. */
  detection: string;
  /** Open directives that close the vulnerability there, of a honeypot anywhere; none where it is not open, or its risk is accepted. */
  directives: string[];
  /**
   * Whether that was told before: the same attack on the same host within a day, or one that was dismissed. Then nothing has
   * changed.
   */
  known: boolean;
};

/** An attack that a sensor saw. */
export type DetectionView = {
  /** The asset: `ast_...`; absent of a honeypot. */
  asset?: string | null;
  /** Who reported it. */
  by: string;
  /** Open directives that close the vulnerability there; none where it has ended, is not open there, or its risk is accepted. */
  directives: string[];
  /** When it ended, RFC 3339. */
  ended?: string | null;
  /** Who dismissed it. */
  ended_by?: string | null;
  /** Why. */
  ended_why?: string | null;
  /** The same everywhere else. */
  estate_ppm: number;
  /** Its name. */
  host?: string | null;
  /** `det_...` */
  id: string;
  /** `attack` (on an asset; whether it succeeded is not said), `incident` (it succeeded) or `honeypot` (on a decoy, which is none). */
  kind: string;
  /** By what the sensor knows it. */
  reference?: string | null;
  /** When it was reported, RFC 3339. */
  reported: string;
  /** When, by the sensor, RFC 3339. */
  seen: string;
  /** The sensor. */
  sensor: string;
  /** `standing`, `expired` or `dismissed`. */
  state: string;
  /** When it ends by itself, RFC 3339. */
  until: string;
  /** The vulnerability. */
  vulnerability: string;
  /** What was seen, in the sensor's words. */
  what: string;
  /** The zone in which it was seen; absent where nobody knows. */
  zone?: string | null;
  /** How likely it makes exploitation in that zone by now, whatever feeds say, in parts per million. */
  zone_ppm: number;
};

/** Detections, the newest first. */
export type DetectionsView = {
  /** The first of them. */
  items: DetectionView[];
  /** How many there are in all. */
  total: number;
};

/** A directive on one asset. */
export type DirectiveAssetView = {
  /** Who has approved so far, where the policy asks for several people. */
  approved_by: string[];
  evidence?: EvidenceView | null;
  /** Its name. */
  hostname: string;
  /** The asset. */
  id: string;
  /** Why its agent cannot act, where it cannot. */
  observe_only?: string | null;
  /** Every order that was made for this asset, oldest first. */
  orders: OrderView[];
  /** What changes there. */
  packages: PackageView[];
  /**
   * What the policy says of it, in words: who approves, and by which rule it was approved; absent where no policy is set, or
   * nothing waits for it.
   */
  policy?: string | null;
  /** How long the rehearsal took, in milliseconds. */
  rehearsed_ms?: number | null;
  signatures?: SignaturesView | null;
  /** How far it is. */
  stage: StageView;
  /** What the rehearsal proved about taking it back: `proven`, `possible` or `not-possible`, with the reason. */
  undo?: string | null;
  /** Units that the rehearsal says are touched. */
  units: string[];
};

/** A directive in one line: what a list shows of it. `/api/v1/directives/{id}` tells all of it. */
export type DirectiveLine = {
  /** On how many assets. */
  asset_count: number;
  assignee?: AssigneeView | null;
  /** On how many of its assets attacks by what it closes there were seen. */
  attacked: number;
  /** How many CVE ids only the vendor's changelog claims. */
  claims_count: number;
  /** How and when it ended. */
  closed?: string | null;
  /** The first vulnerabilities that a published advisory says this closes, at most 8. */
  closes: string[];
  /** How many it closes in all. */
  closes_count: number;
  /** Whether it is disputed and nobody has answered: nothing of it is approved meanwhile. */
  disputed: boolean;
  /** When it is due, RFC 3339. */
  due?: string | null;
  /** Whether one that it closes is exploited somewhere: listed in KEV. */
  exploited: boolean;
  first?: FirstAssetView | null;
  /** Whose work it is. */
  group: string;
  /** Its id. */
  id: string;
  /** How many notes people left on it. */
  notes: number;
  /** What the table decides, as published. */
  outcome: string;
  /** When it was raised, RFC 3339. */
  raised: string;
  /** Risk points that doing it removes. */
  removes: string;
  /** Row of the table, as published. */
  row: number;
  /** Source package. */
  source: string;
  /** How many of them are in which stage, by its name. */
  stages: Record<string, number>;
  /** The action in words. */
  title: string;
  /** Source version to reach. */
  version: string;
};

/** What doing a directive on all of its assets takes from an attacker. */
export type DirectiveReachView = {
  /** Nobody states zones in which attacks begin: they are told from listeners and addresses alone. */
  assumed: boolean;
  /** The entry of the record after which it is so. */
  generation: number;
  /** Risk points at most now, ... */
  loses: string;
  /** ... and when it is done. */
  loses_after: string;
  /** The difference. */
  saves: string;
  /** Assets of the directive that stand in no zone. Nothing is said of them. */
  unplaced: number;
  /** Zones in which its hosts stand or in which it makes a difference, those that save most first. */
  zones: ZoneAfterView[];
};

/** A directive: what must be done, why, by when. */
export type DirectiveView = {
  /** The advisories. */
  advisories: string[];
  /** On how many assets. */
  asset_count: number;
  /** Where, and how far: every asset on which work has begun, and at most 200 of the others. */
  assets: DirectiveAssetView[];
  assignee?: AssigneeView | null;
  /** Attacks that were seen on its assets by what it closes there, and count, the last first. */
  attacks: DetectionView[];
  /** The reasons. */
  because: BasisView[];
  /** CVE ids that only the vendor's changelog claims. */
  claims: string[];
  /** Every rule that sets a date, the earliest first. */
  clocks: ClockView[];
  /** How and when it ended. */
  closed?: string | null;
  /**
   * Vulnerabilities that a published advisory says this closes; none for a security update that only the host's own
   * repository tells of.
   */
  closes: string[];
  /** The table row. */
  decision: DecisionView;
  /** Whether it is disputed and nobody has answered: nothing of it is approved meanwhile. */
  disputed: boolean;
  /** When it is due, RFC 3339. */
  due?: string | null;
  /** How it ended, in a word: `fixed`, `superseded`, `withdrawn` or `refused`; absent while it is open. */
  ended?: string | null;
  evidence?: EvidenceCountsView | null;
  /** Whose work it is. */
  group: string;
  /** Its id. */
  id: string;
  /** Whether the agents of that group may act: `observe` or `act`. */
  mode: string;
  /** When it was raised, RFC 3339. */
  raised: string;
  /** Risk points that doing it removes. */
  removes: string;
  rollout?: RolloutView | null;
  /** Source package. */
  source: string;
  /** How many of them are in which stage, by its name. */
  stages: Record<string, number>;
  /** What people said of it, in order. */
  thread: NoteView[];
  /** The action in words. */
  title: string;
  /** Source version to reach. */
  version: string;
};

/** A page of directives. */
export type DirectivesPage = {
  /** The place of the first item in the whole list, counted from 0. */
  from: number;
  /** Position of the journal that this shows. */
  generation: number;
  /** The page. */
  items: DirectiveLine[];
  /** Where the next page begins; absent on the last, and in a list of parts. */
  next?: string | null;
  /**
   * The same for each part, where that was asked for, in the order in which they stand in the list: the largest loss removed
   * first, by date in the order of time, by stage what needs a person first. At most 500; what stands behind them in the list is in
   * parts that are not told one by one.
   */
  parts?: PartView[] | null;
  /** How many there are in all. */
  total: number;
  totals?: QueueTotals | null;
};

/** Why a detection is dismissed. */
export type DismissalBody = {
  /** Why. */
  why: string;
};

/** The change is durable and visible. */
export type Done = {
  /** Whether it had been done before, under the same key. */
  repeated: boolean;
  /** Position of the last event it led to. */
  seq: number;
};

/** Durations of one kind, in seconds. */
export type DurationsView = {
  /** How many. */
  count: number;
  /** Half of them are at most this long, off by at most one part in 32; `None` where there is none. */
  median_seconds?: number | null;
  /** Nine in ten are at most this long, likewise. */
  p90_seconds?: number | null;
  /** Their sum, exact. */
  seconds: number;
};

/** One change of a field, and for whom. */
export type EffectView = {
  /** For how many assets. */
  assets: number;
  /** The field. */
  field: string;
  /** What it was, with its source; absent where nothing was said. */
  from?: string | null;
  /** The names that the first of them gave. */
  hosts: string[];
  /** What it would be, with its source; absent where nothing would be said. */
  to?: string | null;
};

/** How many assets of a directive have what its row asks to preserve. */
export type EvidenceCountsView = {
  /** Of so many it is neither: nothing of them is changed, by this directive or another. */
  lacking: number;
  /** Of so many it is sealed in the record. */
  sealed: number;
  /** So many may be changed without, as a person said. */
  waived: number;
};

/** How it stands with the evidence of an asset. Reading the document itself takes the right `investigate`. */
export type EvidenceView = {
  /** Who waived it. */
  by?: string | null;
  /** Its size, in bytes. */
  bytes?: number | null;
  /** Digest of what is sealed. */
  document?: string | null;
  /**
   * The parts of which something is missing in it: `processes`, `sockets`, `maps`, `sessions`, `logs`, `packages`, or the
   * `copy` that the host keeps.
   */
  gaps: string[];
  /** Since when it is so, RFC 3339. */
  since?: string | null;
  /** `sealed`, `waived`, `missed` (the host could not preserve it), `ordered` or `waiting`. */
  state: string;
  /** What the host waits for, in words; absent where it waits for no evidence, whichever directive asks. */
  waits?: string | null;
  /** Why it was waived, or missed. */
  why?: string | null;
};

/** A risk to accept. */
export type ExceptionBody = {
  /** On these assets (`ast_...`); it is open on each. Say this or `group`. */
  assets?: string[];
  /** What stands against it meanwhile. */
  control: string;
  /** On those of this group on which it is open now. */
  group?: string | null;
  /** Who answers for the risk; whoever grants it where nothing is said. */
  owner?: string | null;
  /** When it is to end, within 366 days: a time, RFC 3339, or a day, to whose end it lasts (UTC). */
  until: string;
  /** The vulnerability. */
  vulnerability: string;
  /** Why it is not mended now. */
  why: string;
};

/** Why an exception ends before its time. */
export type ExceptionEndBody = {
  /** Why. */
  why: string;
};

/** A risk that somebody accepts: a vulnerability may stay on some assets until a day. */
export type ExceptionView = {
  /** On how many assets. Those that enrol later are not meant. */
  assets: number;
  /** Who granted it. */
  by: string;
  /** What stands against it meanwhile. */
  control: string;
  /** When it ended, RFC 3339. */
  ended?: string | null;
  /** Who took it back. */
  ended_by?: string | null;
  /** Why. */
  ended_why?: string | null;
  /** When, RFC 3339. */
  granted: string;
  /** Names of the first 20 of them. */
  hosts: string[];
  /** `exc_...` */
  id: string;
  /** Who answers for the risk. */
  owner: string;
  /** Since when what closes it was to be done there, RFC 3339; the clocks go on from then once it ends. */
  since?: string | null;
  /** `standing`, `expired` or `revoked`. */
  state: string;
  /** When it ends by itself, RFC 3339. */
  until: string;
  /** The vulnerability. */
  vulnerability: string;
  /** Why it is not mended now. */
  why: string;
};

/** Exceptions, the newest first. */
export type ExceptionsView = {
  /** The first of them. */
  items: ExceptionView[];
  /** How many there are in all. */
  total: number;
};

/** What a vulnerability opens in a zone. */
export type ExploitView = {
  /** Whether an attacker can deliver it. */
  delivered: BoundsView;
  /** How many hosts. */
  hosts: number;
  /** Where it listens; empty where it does not, or nobody knows. */
  listens: string[];
  /** Risk points at most. */
  loses: string;
  /** The package. */
  package: string;
  /** Probability that the exploit works, in parts per million. */
  threat: number;
  /** The vulnerability. */
  vulnerability: string;
};

/** Time of open cases. */
export type ExposureView = {
  /** In hours with one decimal: two hosts with three open directives each for an hour are six hours. */
  asset_hours: string;
  /** The same in seconds, exact. */
  seconds: number;
};

/** Threat x reach x impact x controls of one vulnerability on alike assets. */
export type FactorView = {
  /** On so many assets. */
  assets: number;
  /** Why each has its value: the first of these threat, the last impact, those between reach. */
  because: BasisView[];
  control?: BasisView | null;
  /** What compensating controls leave over, in parts per million: 1,000,000 where none stands there. */
  controls_ppm: number;
  /** What is lost if so, in parts per million. */
  impact_ppm: number;
  /** Their product on all of these assets, in risk points. */
  points: string;
  /** Whether an attacker can deliver it there, in parts per million. */
  reach_ppm: number;
  /** Probability of exploitation in 30 days, in parts per million. */
  threat_ppm: number;
  /** The vulnerability. */
  vulnerability: string;
};

/** A feed. */
export type FeedView = {
  /** The feed's own date. */
  as_of?: string | null;
  /** When it was last asked. */
  asked?: string | null;
  /** When it last changed here; absent before it was first read. */
  changed?: string | null;
  /** Its name. */
  name: string;
  /** What is wrong with it, if anything is. */
  problem?: string | null;
};

/** The feeds: what they last brought, and how asking them last went. */
export type FeedsPage = {
  /** Position of the journal that this shows. */
  generation: number;
  /** The page, by name. */
  items: FeedView[];
  /** Where the next page begins; absent on the last. */
  next?: string | null;
  /** How many there are. */
  total: number;
};

/** The figures of a span. Each is explained in `definitions`, under its name here. */
export type FiguresView = {
  /** Cases that began and ended. */
  cases: CasesView;
  /** Changes that were verified, of all that ended. */
  change_success: ShareView;
  /** How changes ended. */
  changes: ChangesView;
  /** How directives ended. */
  closings: ClosingsView;
  /** Where that time went, up to the first host each. */
  directive_steps: MilestoneView[];
  /** From a directive's being raised until every host showed the fix. */
  directives: DurationsView;
  /** Time of open cases. */
  exposure: ExposureView;
  /** Rehearsals that foretold a failure, of all that told anything. */
  foretold: ShareView;
  /** Until half of the cases are done. */
  half_life: HalfLifeView;
  /** Open cases whose due date is past, of all open ones. */
  overdue: ShareView;
  /** Open directives whose due date is past. */
  overdue_directives: number;
  /** How rehearsals ended. */
  rehearsals: RehearsalsView;
  /** From the beginning of a case until it was verified. */
  remediation: DurationsView;
  /** Cases that came due, and were done by then. */
  sla: ShareView;
  /** Directives that came due, and were done by then. */
  sla_directives: ShareView;
  /** Where that time went, step by step. */
  steps: StepView[];
  /** What that time was spent on: people, machines, windows. */
  waited_for: WaitView[];
};

/** Where a finding stands on its host. */
export type FindingStateView = "fix-offered" | "fix-held" | "fix-phased" | "fix-kept-back" | "fix-published" | "index-stale" | "fix-not-offered" | "no-fix" | "not-running" | "reboot-pending";

/** One vulnerability on one asset. */
export type FindingView = {
  /** The advisory that says so. */
  advisory: string;
  /** The version that fixes it, when one is published. */
  fixed?: string | null;
  /** Installed source version. */
  installed: string;
  /** Since when it is open, as far as Tenon knows. */
  opened: string;
  /** The same in words. */
  said: string;
  /** Source package. */
  source: string;
  /** Where it stands. */
  state: FindingStateView;
  /** The vulnerability. */
  vulnerability: string;
};

/** Why one vulnerability on one asset has the priority that it has there, as if nothing else were to be done. */
export type FindingWhyView = {
  /** The exception by which its risk is accepted there; absent where it is not. */
  accepted?: string | null;
  /** The asset. */
  asset: string;
  /** Every rule that sets a date, the earliest first. */
  clocks: ClockView[];
  /** The decision. */
  decision: DecisionView;
  /** The open directive that closes it there; absent where none does. */
  directive?: string | null;
  /** When that is due, RFC 3339: it may be sooner, by what else it closes and where. */
  directive_due?: string | null;
  /** When it would be due by itself, RFC 3339. */
  due?: string | null;
  /** The factors that multiply to them. */
  factor: FactorView;
  /** Where it stands there. */
  finding: FindingView;
  /** The smallest change to a more urgent outcome and to a less urgent one, as far as there are any. */
  flips: FlipView[];
  /** Its name. */
  hostname: string;
  /** Risk points that closing it there removes. */
  removes: string;
  table?: TableView | null;
};

/** One asset of a directive. */
export type FirstAssetView = {
  /** Its name. */
  hostname: string;
  /** Why, where a reason was given. */
  reason?: string | null;
  /** How far the directive is there. */
  stage: string;
};

/** A smallest change that leads to another outcome. */
export type FlipView = {
  /** The outcome then. */
  outcome: string;
  /** What changes, all of it: what is stated about the assets first. */
  set: SetView[];
  /** Whether the new outcome is more urgent. */
  sooner: boolean;
};

/** A freeze. */
export type FreezeView = {
  /** From when, RFC 3339. */
  from: string;
  /** Its name. */
  name: string;
  /** Until when, RFC 3339. */
  until: string;
  /** For what; absent where it is for all. */
  when?: string | null;
};

/** A gap, and which assets have it. Never read it as "not vulnerable". */
export type GapView = {
  /** How many assets have it. */
  assets: number;
  /** `never-reported`, `not-assessed`, `silent`, `index-stale`, `cloned`, `not-known` or `observe-only`. */
  kind: string;
  /** The first of them by name, in the order in which they enrolled, at most 20. */
  named: string[];
  /** The gap in words. */
  said: string;
};

/** A page of the gaps of the estate: the gravest kinds first, and of each what most assets have. */
export type GapsPage = {
  /** How many assets there are. */
  assets: number;
  /** Position of the journal that this shows. */
  generation: number;
  /** The page. */
  items: GapView[];
  /** Where the next page begins; absent on the last. It is a place, so that what moves over it is shown twice or not at all. */
  next?: string | null;
  /** Of how many of them something is not known, besides whether Tenon may act there. */
  not_whole: number;
  /** How many gaps there are. */
  total: number;
};

/** A signature that counts. */
export type GivenSignatureView = {
  /** Who sent it. */
  by: string;
  /** The key that made it. */
  key: string;
  /** Until when it counts, RFC 3339. */
  until: string;
};

/** The figures of a group. */
export type GroupFiguresView = FiguresView & {
  /** The group. */
  group: string;
};

/** A group's share. */
export type GroupRiskView = {
  /** How many directives. */
  directives: number;
  /** The group. */
  group: string;
  /** Risk points that its open directives remove. */
  points: string;
};

/** A group of assets. */
export type GroupView = {
  /** How many assets it has. */
  assets: number;
  /** `observe` or `act`. */
  mode: string;
  /** Its name. */
  name: string;
};

/** How long it takes until half of the cases are done. */
export type HalfLifeView = {
  /** Cases that began in the span. */
  cases: number;
  /** Of them those that are done, whoever did it. */
  done: number;
  /** Of them those that ended in another way: looked at until then. */
  ended: number;
  /** Of them those that are open: looked at until now. */
  open: number;
  /**
   * What the estimate leaves open after the longest time that was looked at, in percent with one decimal; `None` where no case
   * began.
   */
  open_percent?: string | null;
  /** In seconds, off by at most one part in 32; `None` while more than half are open. */
  seconds?: number | null;
};

/** Why a rollout stands still until a person resumes it. */
export type HaltView = {
  /** Since when, RFC 3339. */
  at: string;
  /** The person who halted it; absent where it stopped by itself. */
  by?: string | null;
  owner?: AssigneeView | null;
  /** What happened, and what to do. */
  why: string;
};

/** The end of the journal. */
export type HeadView = {
  /** Position of the last event. */
  seq: number;
  /** The current leader's term. */
  term: number;
  /** Digest of all state at that position. */
  world: string;
};

/** Assets that no wave holds. */
export type HeldBackView = {
  /** How many. */
  assets: number;
  /** The hosts, at most 200. */
  hosts: WaveHostView[];
  /** Why, and what would let them go. */
  why: string;
};

/** A history. */
export type HistoryView = {
  /** How many days of scores there are from the one to the other. */
  days: number;
  /** The first day that can be replayed, as in 2024-05-01. */
  first: string;
  /** The last one: all that was listed in the 30 days after it is known. */
  last: string;
  /** The first day of which Tenon's own forecast has a model, where there is one. */
  model_from?: string | null;
  /** Whether records of CVEs are there too, which policies on CVSS and on published tables read. */
  records: boolean;
};

/** The value of one column of a decision table, and why it has it. */
export type InputView = BasisView & {
  /** Whether nothing is known and this was assumed. */
  assumed: boolean;
  /** Column, as published. */
  column: string;
  /** Value, as published. */
  value: string;
};

/** A code with which a person sets a password at `/welcome`, shown once. */
export type InvitationView = {
  /** The code: one use. */
  code: string;
  /** Not accepted from then on, RFC 3339. */
  expires: string;
  /** For whom. */
  user: UserView;
};

/** One entry of the record, in words. */
export type LogEntryView = {
  /** The asset that it is about; absent where that is none or several. */
  asset?: string | null;
  /** The contents that it names, by SHA-256. */
  blobs: string[];
  /** The person behind it; absent where none is. */
  by?: string | null;
  /** The directive that it is about; absent likewise. */
  directive?: string | null;
  /** Its hash, SHA-256 over the one before it and its content. */
  hash: string;
  /** Its kind, as the record keeps it (`directive-raised`). */
  kind: string;
  /** What happened, in one sentence. */
  said: string;
  /** Its place, from 1. */
  seq: number;
  /** When it was stamped, RFC 3339. */
  time: string;
};

/** A part of the record, the newest entry first. */
export type LogPage = {
  /** Position of the journal that this shows. */
  generation: number;
  /** The entries. There may be fewer than asked for, and even none, where others follow. */
  items: LogEntryView[];
  /** Where the next page begins; absent on the last. */
  next?: string | null;
};

/** Where the time of a span went, and how things ended, for the estate and for each group. */
export type MeasuresView = {
  /** Since when is counted, RFC 3339: what the record no longer holds was not counted. `None` where all of it was. */
  counted_since?: string | null;
  /** What each figure means. */
  definitions: DefinitionView[];
  /** The first day, of 24 hours in UTC, as in 2026-11-25. */
  first: string;
  /** Position of the journal that this shows. */
  generation: number;
  /** The group that was asked for; `None`: all of them together. */
  group?: string | null;
  /** The same for each group, by name, at most 1,000; empty where one was asked for. */
  groups: GroupFiguresView[];
  /** The last day, as far as it is gone. */
  last: string;
  /** The figures of all of them together. */
  whole: FiguresView;
};

/** How a message is written. */
export type MessageForm = "cloudevents" | "slack" | "teams" | "mail";

/** What a message is about. */
export type MessageTopic = "approval" | "urgent" | "trouble" | "exception" | "raised" | "done";

/** Who is told what. */
export type MessagesView = {
  /** Position of the journal that this shows. */
  generation: number;
  /** By name in the file. */
  items: AddresseeView[];
};

/** The time of directives up to one milestone. */
export type MilestoneView = DurationsView & {
  /** `rehearsed`, `approved`, `changed` or `fixed`. */
  milestone: string;
};

/** An entry of the record by which the expected loss of a directive became another. */
export type MoveView = {
  /** What doing the directive removed before, in risk points; absent where it was raised, or the record does not reach back. */
  before?: string | null;
  /** What it removed after. */
  points: string;
  /** What it says, in words. */
  said: string;
  /** The entry: what was told, not what followed from it. */
  seq: number;
  /** When, RFC 3339. */
  time: string;
};

/** An entry of the record that moved exposure, with all that followed from it. */
export type MovementView = {
  /** The person behind it; absent where none is. */
  by?: string | null;
  /** Its day, as in 2026-11-25. */
  day: string;
  /** Its kind; absent where the record does not reach back so far any more. */
  kind?: string | null;
  /** By so many risk points; below zero where it fell. */
  points: string;
  /** What happened, in one sentence; absent likewise. */
  said?: string | null;
  /** The entry. */
  seq: number;
};

/** What moved a directive, the last first. */
export type MovesView = {
  /** Position of the journal that this shows. */
  generation: number;
  /** The entries. */
  items: MoveView[];
  /** Whether earlier ones were not looked for: there are enough, or they lie too far back. */
  more: boolean;
};

/** A new password in place of an old one. */
export type NewPassword = {
  /** The new one. */
  new: string;
  /** The old one. */
  old: string;
};

/** A new token. */
export type NewTokenBody = {
  /** How long it lives; at most a year. */
  expires_seconds: number;
  /** What it is for. */
  label: string;
  /** What it may be used for. */
  roles: string[];
};

/** A token with its secret, shown once. */
export type NewTokenView = {
  /** What a program sends as `Authorization: Bearer ...`. */
  secret: string;
  /** The token. */
  token: TokenView;
};

/** A note. */
export type NoteBody = {
  /** `comment`, `dispute` or `answer`. */
  kind: string;
  /** What it says: plain text, at most 2,000 bytes. It stays in the record. */
  text: string;
};

/** A note in the thread of a directive. */
export type NoteView = {
  /** When, RFC 3339. */
  at: string;
  /** Who. */
  by: string;
  /** `comment`, `dispute` or `answer`. */
  kind: string;
  /** What it says. */
  text: string;
};

/** An open directive on one asset. */
export type OnAssetView = {
  /** When it is due, RFC 3339. */
  due?: string | null;
  /** Its id. */
  id: string;
  owner?: AssigneeView | null;
  /** What the policy says of it, in words; absent where no policy is set, or nothing waits for it. */
  policy?: string | null;
  /** How far it is there, by the names of a directive's stages. */
  stage: string;
  /** The action in words. */
  title: string;
  /** The wave that changes it, from 1; absent where no plan holds it. */
  wave?: number | null;
  /** How many waves the plan has; 0 where there is no plan. */
  waves: number;
  /** Why it does not show the fix yet; absent where it does. */
  why_not_yet?: string | null;
};

/** An order and what the host answered. */
export type OrderView = {
  /** `rehearse`, `preserve-evidence` or `apply`. */
  action: string;
  /** When the host answered, RFC 3339; absent while it has not. */
  answered?: string | null;
  /** Its id. */
  id: string;
  /** When it was issued, RFC 3339. */
  issued: string;
  /** Digest of the answer: fetch it under `/api/v1/reports/`. Absent for evidence, which takes another right. */
  report?: string | null;
};

/** How many of everything there are: what the lists hold, they give a page at a time. */
export type Overview = {
  /** How many assets there are. */
  assets: number;
  /** How many directives are closed. */
  closed: number;
  demo?: DemoView | null;
  /** Feeds: what they last brought. */
  feeds: FeedView[];
  /** The groups that have assets, by name, at most 1,000. */
  groups: GroupView[];
  /** How many directives are open. */
  open: number;
  /** Position of the journal that this shows. */
  seq: number;
  /** Time of the last event, RFC 3339. */
  time?: string | null;
};

/** A package and its two versions. */
export type PackageView = {
  /** Architecture. */
  architecture: string;
  /** Installed. */
  from: string;
  /** Binary package. */
  package: string;
  /** To reach. */
  to: string;
};

/** What some of the open directives come to together. */
export type PartView = {
  /** Assets of all of them; one that is in several counts in each. */
  assets: number;
  /** How many there are. */
  directives: number;
  /** The earliest due date of them, RFC 3339; absent where none has one. */
  due?: string | null;
  /** What they have in common: a group, outcome or package, who does them (`nobody`), a span until a due date or a stage, as their names are elsewhere. */
  name: string;
  /** Risk points that doing all of them removes. */
  removes: string;
};

/** What is wrong with a policy. */
export type PolicyCheckView = {
  /** What is wrong, in the order of the file; nothing where it could be set. At most 100. */
  problems: PolicyProblemView[];
  /** How much is wrong in all. */
  total: number;
};

/** What two policies say of a directive. */
export type PolicyEffectView = {
  /** By the other one. */
  after: RulingView[];
  /** By the policy that counts. */
  before: RulingView[];
  /** Whose work it is. */
  group: string;
  /** The directive. */
  id: string;
  /** The action in words. */
  title: string;
};

/** A policy to begin with. */
export type PolicyPresetView = {
  /** What it is for. */
  about: string;
  /** Its name. */
  name: string;
  /** The file. */
  text: string;
};

/** What would change if another policy counted. */
export type PolicyPreviewView = {
  /** On how many assets the change would be approved at once, because its rehearsal has passed. */
  approved_at_once: number;
  /** As of when, RFC 3339. */
  as_of: string;
  /** Of how many open directives it says something else. */
  changed: number;
  /** Those, at most 200, the most urgent first. */
  directives: PolicyEffectView[];
  /** Whether it is that very file. */
  same: boolean;
  /** The version that it was compared with; 0 where none was ever set. */
  version: number;
};

/** Something that is wrong with a policy. */
export type PolicyProblemView = {
  /** Where: `line 3, column 5`. */
  place: string;
  /** What is wrong, and what to do. */
  reason: string;
};

/** The policy that counts. */
export type PolicyView = {
  /** The file's digest. */
  digest?: string | null;
  /** When nothing begins. */
  freezes: FreezeView[];
  /** Its rules in their order; what none matches is approved by one person, at any time. */
  rules: RuleView[];
  /** The file, as it was written. */
  text?: string | null;
  /** Counts the policies, from 1; 0 where none was ever set. */
  version: number;
  /** The windows that they name. */
  windows: WindowView[];
};

/** What taking over a document would change. */
export type PreviewView = {
  /** For how many assets anything changes. */
  assets: number;
  /** What changes for assets, the most assets first. */
  effects: EffectView[];
  /** The difference of the documents, a line for each entry: `+` is new, `-` is gone, `~` is another. */
  lines: string[];
  /** The version that it was compared with. */
  version: number;
};

/** Why a request failed; every error of gateway and API has this body (RFC 9457). */
export type Problem = {
  /** For programs: a refusal code or the name of an HTTP failure, see `docs/reference/refusals.md`. */
  code: string;
  /** For people: what, with which value, and what to do. */
  detail: string;
  /** `urn:tenon:request:ID`: the request, as the server's log names it. */
  instance: string;
  /** The HTTP status. */
  status: number;
  /** The kind of failure in words, the same for every failure of this code. */
  title: string;
  /** `urn:tenon:problem:CODE`. */
  type: string;
};

/** What the open directives under a filter come to together. */
export type QueueTotals = {
  /** Assets of all of them; one that is in several counts in each. */
  assets: number;
  /** How many each person does, by name; `nobody` for those that nobody does. */
  assignees: Record<string, number>;
  /** How many are due when: `overdue`, within `1d`, `3d`, `7d`, `30d`, `later`, `no-date`. */
  due: Record<string, number>;
  /** How many there are in each group. */
  groups: Record<string, number>;
  /** How many there are of each outcome of the table that decided. */
  outcomes: Record<string, number>;
  /** Risk points that doing all of them removes. */
  removes: string;
};

/** A host by its id and its name. */
export type ReachHostView = {
  /** As in `ast_0123...`. */
  id: string;
  /** The name that it gave. */
  name: string;
};

/** A service of the business, and where what carries it stands. */
export type ReachServiceView = {
  /** How many hosts carry it. */
  assets: number;
  /** How much the organisation depends on it, where somebody says so: `low`, `medium`, `high` or `critical`. */
  criticality?: string | null;
  /** The services that it cannot work without. */
  depends_on: string[];
  /** Of how many of them nobody states the zone: their addresses tell it. */
  derived: number;
  /** How many open directives are about its hosts. */
  directives: number;
  /** The first of them by enrolment, at most 20. */
  hosts: ReachHostView[];
  /** Its name. */
  name: string;
  /** The services that cannot work without it. */
  needed_by: string[];
  /** Risk points that the open directives remove on its hosts. */
  removes: string;
  /** The team that owns it, where somebody says so. */
  team?: string | null;
  /** How many of them stand in no zone. Never read it as "not reached". */
  unplaced: number;
  /** Where they stand, where an attacker most likely is first. */
  zones: ServiceZoneView[];
};

/** Who an attacker can reach in the estate. */
export type ReachView = {
  /** Nobody states zones in which attacks begin: they are told from listeners and addresses alone. */
  assumed: boolean;
  /** The flows that most likeliest paths use, at most 10, those that save most first. */
  choke_points: ClosedFlowView[];
  closed?: ClosedFlowView | null;
  /** What is allowed between them, at most 2,000. */
  flows: ZoneFlowView[];
  /** The entry of the record after which it is so. Where this takes long, an answer about what is may be a little behind. */
  generation: number;
  /** Risk points at most. */
  loses: string;
  /** The services, at most 100, those that an attacker gets to most likely first. */
  services: ReachServiceView[];
  /** How many services of the business there are. */
  services_in_all: number;
  /** Assets that stand in no zone. Nothing is said of them: never read it as "not reached". */
  unplaced: number;
  /** The zone that an attacker is taken to be in for certain; absent where attacks begin as stated. */
  within?: string | null;
  /** The zones, at most 500, those that lose most first. */
  zones: ZoneView[];
  /** How many zones there are. */
  zones_in_all: number;
};

/** A vulnerability on an asset, and whether an attacker gets there. */
export type ReachedFindingView = {
  /** Whether an attacker can deliver it. */
  delivered: BoundsView;
  /** Where it listens; empty where it does not, or nobody knows. */
  listens: string[];
  /** Whether a foothold on the host comes first: it is local, or needs privileges. */
  needs_foothold: boolean;
  /** The package. */
  package: string;
  /** Probability that the exploit works, in parts per million. */
  threat: number;
  /** The vulnerability. */
  vulnerability: string;
};

/** A refusal. */
export type RefusalBody = {
  /** Why. */
  why: string;
};

/** A due-date rule that was adopted as a file. */
export type RegulationView = {
  /** What it asks. */
  columns: string[];
  /** It counts for what is raised from then on, RFC 3339. */
  effective: string;
  /** What starts its clock: `raised`, `listed` or `released`. */
  from: string;
  /** Its id. */
  id: string;
  /** Published clocks that do not count besides it. */
  replaces: string[];
  /** How many rows it has. */
  rows: number;
  /** Where it is from. */
  source: string;
  /** The file, as it was written. */
  text: string;
  /** Its title. */
  title: string;
  /** Its version. */
  version: string;
};

/** Rehearsals that were ordered and ended. */
export type RehearsalsView = {
  /** It would fail; nothing was changed. */
  failed: number;
  /** It could not be rehearsed. */
  not_rehearsed: number;
  /** The change would hold. */
  passed: number;
  /** Not answered in time. */
  silent: number;
};

/** How far a replay is. */
export type ReplayState = "waiting" | "reading" | "replaying" | "done";

/** How it stands with a replay. */
export type ReplayView = {
  /** So many files or days are done, of the one that waits those of the other. */
  number: number;
  /** Of how many; 0 where that is not known yet. */
  of: number;
  result?: BacktestResultView | null;
  /** How far it is. */
  state: ReplayState;
};

/** A policy over many days. */
export type ReplayedPolicyView = {
  /** By model of EPSS, in order of time: scores of different models do not compare. */
  by_epss_model: BacktestPartView[];
  /** By half of a year, as in `2025 H1`. */
  by_half_year: BacktestPartView[];
  /** What it flags, in words. */
  flags: string;
  /** Its name. */
  policy: string;
  said?: BacktestSaidView | null;
  /** Over all days. */
  total: BacktestCountsView;
};

/** A retired asset counts nowhere, until it reports again. */
export type RetiredView = {
  /** Since when, RFC 3339. */
  at: string;
  /** Who said so, where a person did. */
  by?: string | null;
  /** `by-person`, `superseded` or `silent`. */
  reason: string;
  /** The same in words. */
  said: string;
  /** The asset that took its place, where one did. */
  superseded_by?: string | null;
};

/** A host that is gone. */
export type RetirementBody = {
  /** Why. */
  why: string;
};

/** Another attempt. */
export type RetryBody = {
  /** On which asset. */
  asset: string;
};

/** Expected loss: the risk points that the open directives remove together. */
export type RiskView = {
  /** How many assets that is. */
  assets: number;
  /** What it was before the span; absent for a part, of which only the present is known. */
  before?: string | null;
  /** Days of the span, the last as far as it is gone. */
  days: number;
  /** How many open directives are about them. */
  directives: number;
  /** Position of the journal that this shows. */
  generation: number;
  /** The groups, those with most first; empty for a part. */
  groups: GroupRiskView[];
  /** What it would be now, had nothing been newly seen since then; absent likewise. */
  like_for_like?: string | null;
  /**
   * The entries that moved it most within the span, at most 20, the largest first; empty for a part. Of one day at most 8
   * are known.
   */
  moved: MovementView[];
  /** Of which part of the estate: `service shop`; absent where of all. */
  of?: string | null;
  /** Risk points. */
  points: string;
  /** Those of the whole estate. */
  whole: string;
};

/** Other roles. */
export type RolesBody = {
  /** All that the person is to have. */
  roles: string[];
};

/** In which waves what is approved is applied. */
export type RolloutView = {
  halt?: HaltView | null;
  /** What stays out of it. */
  held_back: HeldBackView[];
  /** Since when it is at the step that it is at, RFC 3339. */
  since: string;
  /** `planned`, `running`, `watched`, `halted` or `over`. */
  state: string;
  /** How fast it goes: `cautious`, `standard` or `fast`. */
  tempo: string;
  /** When that has an end of its own, RFC 3339: the watching of a wave, or the time after which hosts without word halt it. */
  until?: string | null;
  /** Counts the plans of the directive, from 1. */
  version: number;
  /** What it waits for, in words; absent when it is over. */
  waits?: string | null;
  /** How long the waves that are still to begin wait for watching alone, in seconds: it cannot be over sooner. */
  watching_ahead_seconds: number;
  /** The waves in their order. */
  waves: WaveView[];
};

/** A rule. */
export type RuleView = {
  /** Who approves, in words. */
  approval: string;
  /** Its name. */
  name: string;
  /** How fast; absent where `tenon tempo` says. */
  tempo?: string | null;
  /** When it matches; absent where it matches always. */
  when?: string | null;
  /** Why, in the words of whoever wrote it. */
  why?: string | null;
  /** In which windows changes begin; at any time where there is none. */
  windows: string[];
};

/** The published rules that count. */
export type RulesBody = {
  /**
   * The rules that set due dates: `bod-26-04`, `bod-22-01`, `bod-19-02`, `fedramp-rev5`, `pci-dss-4.0`,
   * `fedramp-vdr`, `pci-dss-4.0.1`.
   */
  clocks: string[];
  /** The table that decides: `bod-26-04`, `ssvc-deployer` or `cisa-coordinator`. */
  table: string;
  vdr?: VdrBody | null;
};

/** What a policy says of some assets of a directive. */
export type RulingView = {
  /** Who approves, in words. */
  approval: string;
  /** On how many assets. */
  assets: number;
  /** Why it is not automatic, though the rule says so. */
  not_automatic?: string | null;
  /** When it may begin, RFC 3339, where that is not now. */
  opens?: string | null;
  /** Whether its rehearsal has passed and it waits for approval. */
  rehearsed: boolean;
  /** The rule that matches; absent where that depends on a rehearsal. */
  rule?: string | null;
  /** Why it may not begin now, where it may not. */
  waits?: string | null;
};

/** One thing that is said of an asset. */
export type SaidView = {
  /** The field. */
  field: string;
  /** Who says so; absent where several may, as of services and tags. */
  source?: string | null;
  /** Its value. */
  value: string;
};

/** A zone in which hosts of a service stand. */
export type ServiceZoneView = {
  /** How many hosts of the service stand in it. */
  assets: number;
  /** Whether an attacker is there. */
  reached: BoundsView;
  /** The zone. */
  zone: string;
};

/** Who asks, and what they may do. */
export type SessionView = {
  /** Opaque id, as the record names the person. */
  id: string;
  /** The name they sign in with. */
  name: string;
  /** `read`, `assess`, `operate`, `approve`, `audit`, `administer`. */
  rights: string[];
  /** Their roles. */
  roles: string[];
  /** `session`, `token`, or `nothing` where reading is open. */
  via: string;
};

/** A policy that takes the place of the one before. */
export type SetPolicy = {
  /** The version that it was compared with; when another counts by now, nothing changes (`evidence-changed`). */
  compared: number;
  /** The file, as `docs/policy.md` describes it. */
  text: string;
};

/** A column of the table set to another value. */
export type SetView = {
  /** Column, as published. */
  column: string;
  /** Values that it has, in published order; several where assets differ. */
  from: string[];
  /** Value that it must have. */
  to: string;
  /** The vulnerability whose column it is, on all assets; absent where it is what is stated about the assets, for all of them. */
  vulnerability?: string | null;
};

/** A part of a whole. */
export type ShareView = {
  /** The whole. */
  of: number;
  /** The part. */
  part: number;
  /** The one as a share of the other, in percent with one decimal; `None` where the whole is nothing. */
  percent?: string | null;
};

/** Name and password, or nothing where the request carries a token. */
export type SignIn = {
  /** The name to sign in with. */
  name?: string | null;
  /** The password. */
  password?: string | null;
};

/** The change of one host: all that its leaf is made of, and what it is good to know beside it. */
export type SignableChangeView = {
  /** The asset. */
  asset: string;
  /** The package files by their digests. */
  files: (Record<string, unknown>)[];
  /** The name that it gives itself. */
  hostname: string;
  /** The signatures that the host asks for, and has. */
  signatures: SignaturesView;
  /** What is asked for. */
  targets: (Record<string, unknown>)[];
  /** Everything that changes with it. */
  transaction: Record<string, unknown>;
  /** What is not signed: units that the rehearsal says are touched. */
  units: string[];
};

/** What can be signed of a directive. */
export type SignableView = {
  /** The changes that wait for signatures, in the order of their assets' ids; at most 4,096. */
  changes: SignableChangeView[];
  /** The directive. */
  id: string;
  /** How many more wait, which another signature covers. */
  more: number;
  /** The action in words. */
  title: string;
};

/** A signature over changes. */
export type SignatureBody = {
  /** The assets (`ast_...`) whose changes the statement covers, in the order of its tree: ascending. */
  assets: string[];
  /** The signature, as `ssh-keygen -Y sign -n tenon-approval` writes it. */
  signature: string;
  /** The statement, exactly as signed. */
  statement: string;
};

/** The signatures that a host asks for, and those that it has for one change. */
export type SignaturesView = {
  /** Those that count for this change as it is now. */
  given: GivenSignatureView[];
  /** The keys that count, by their fingerprints (`SHA256:...`). */
  keys: string[];
  /** How many more it waits for. */
  missing: number;
  /** By how many different keys. */
  needed: number;
};

/** How far a directive is on an asset. */
export type StageView = {
  /**
   * `proposed`, `rehearsing`, `awaiting-approval`, `approved`, `applying`, `applied`, `verified`,
   * `fixed-otherwise`, `needs-person`, `rolled-back` or `failed`.
   */
  name: string;
  /** The order that is out. */
  order?: string | null;
  owner?: AssigneeView | null;
  /** Why, where a reason was given. */
  reason?: string | null;
  /** Digest of the report that speaks of it: fetch it under `/api/v1/reports/`. */
  report?: string | null;
  /** Whether it stands still until a person asks for another attempt. */
  retry: boolean;
};

/** Assets on which it stands alike. */
export type StandingView = {
  /** On how many assets. */
  assets: number;
  /** OSV ecosystem with release. */
  ecosystem: string;
  /** The version that fixes it, when one is published. */
  fixed?: string | null;
  /** Names of the first 20 of them. */
  hosts: string[];
  /** Installed source version. */
  installed: string;
  /** The same in words. */
  said: string;
  /** Source package. */
  source: string;
  /** Where it stands. */
  state: FindingStateView;
};

/** The time that cases spent in one step. */
export type StepView = DurationsView & {
  /** Its share of all time, in percent with one decimal; `None` where there is none. */
  percent?: string | null;
  /** What happens or is waited for in it. */
  says: string;
  /** `promotion`, `queue`, `rehearsal`, `approval`, `turn`, `change`, `confirmation` or `stop`. */
  step: string;
  /** Whom or what it waits for: `person`, `machine` or `window`. */
  waits_for: string;
};

/** A finding that a supplier's statement (VEX) takes off the list. The statement is a claim of its author. */
export type SuppressedView = FindingView & {
  /** Who states it. */
  author: string;
  /** When it was known to be true, RFC 3339. */
  made: string;
  /** What is stated. */
  reason: string;
};

/** A row of a decision table. */
export type TableRowView = {
  /** Outcome as published. */
  outcome: string;
  /** Row as published. */
  row: number;
  /** A value for each column, in their order. */
  values: string[];
};

/** A published decision table. */
export type TableView = {
  /** Headers of what is put in, as published. */
  columns: string[];
  /** Header of what comes out, as published. */
  outcome: string;
  /** One row for every combination, in published order. */
  rows: TableRowView[];
  /** Where its rows are published, and under which licence. */
  source: string;
  /** Title, as published. */
  title: string;
};

/** A document that takes the place of the one before. */
export type TakeOver = {
  /** The version that it was compared with; when another counts by now, nothing changes (`evidence-changed`). */
  compared: number;
  /** The document, as `GET` gives it. */
  document: Record<string, unknown>;
};

/** How fast rollouts go. */
export type TempoBody = {
  /** `cautious`, `standard` or `fast`. */
  tempo: string;
};

/** A new enrolment token. */
export type TokenBody = {
  /** Hosts that use it join this group. */
  group: string;
};

/** The token, shown once. */
export type TokenIssued = {
  /** Not accepted after this many seconds. */
  expires_seconds: number;
  /** What to hand to the host. */
  token: string;
};

/** A token, without its secret. */
export type TokenView = {
  /** RFC 3339. */
  created: string;
  /** RFC 3339; absent when it does not end by itself. */
  expires?: string | null;
  /** As in tok_0123... */
  id: string;
  /** What it is for. */
  label: string;
  /** What it may be used for, as far as its person may. */
  roles: string[];
  /** Whose it is: an opaque id. */
  user: string;
};

/** One day. Everything is in risk points. */
export type TrendDayView = {
  /** Out of the queue by risks that people accept, less what came back once that ended; its findings stay. */
  accepted: string;
  /** The day, as in 2026-11-25. */
  day: string;
  /** Downwards by later reports: the host shows that it is done, or has it no more. */
  done: string;
  /** Exposure at its end. */
  exposure: string;
  /** Downwards by the same. */
  got_better: string;
  /** Upwards by advisories, intel, context and rules, on what is there already. */
  got_worse: string;
  /** The same, had nothing moved it since the span began but what was there before: it does not move when hosts enrol. */
  like_for_like: string;
  /** Seen for the first time: by hosts on the day of their first report, and upwards by later reports of others. */
  newly_seen: string;
  /** Out of the queue by a person's refusal; its findings stay open. */
  refused: string;
  /** Gone with hosts that are retired. */
  retired: string;
};

/** Exposure over a span of days, and what moved it. Exposure is the risk points that the open directives remove together. */
export type TrendView = {
  /** The days, each of 24 hours in UTC, the last as far as it is gone. */
  days: TrendDayView[];
  /** Position of the journal that this shows. */
  generation: number;
};

/** What came of a trial. */
export type TrialView = {
  /** Why not. */
  problem?: string | null;
  /** Whether the other side took it. */
  taken: boolean;
};

/** A policy to try. */
export type TriedPolicy = {
  /** The file. */
  text: string;
};

/** Of how many assets nobody states a field. */
export type UnstatedView = {
  /** Of how many assets nobody states it. */
  assets: number;
  /** For how many of these a default counts. */
  by_default: number;
  /** Of how many of these the inventory tells it. */
  derived: number;
  /** The field. */
  field: string;
  /** How many assets there are. */
  of: number;
};

/** Somebody new. */
export type UserBody = {
  /** The name to sign in with. */
  name: string;
  /** `viewer`, `analyst`, `operator`, `approver`, `sensor`, `auditor`, `admin`. */
  roles: string[];
};

/** A person. */
export type UserView = {
  /** When they were added, RFC 3339. */
  created: string;
  /** Whether they have set a password. */
  has_password: boolean;
  /** Opaque id, as the record names the person. */
  id: string;
  /** The name they sign in with. */
  name: string;
  /** Their roles. */
  roles: string[];
};

/** What FedRAMP VDR asks of findings, by the group of assets on which they are. */
export type VdrBody = {
  /** Certification class of the cloud service: `A`, `B`, `C` or `D`. */
  class: string;
  /** PAIN of findings on assets of these groups. */
  groups?: Record<string, string>;
  /** PAIN of findings on assets of groups that are not named: `1` to `5`, 5 the worst; 1 has no time frame. */
  pain: string;
};

/** A page of what is open in the estate. */
export type VulnerabilitiesPage = {
  /** ... by how many attacks were seen here, ... */
  attacked: number;
  /** ... how many of them are exploited somewhere, ... */
  exploited: number;
  /** The place of the first item in the whole list, counted from 0. */
  from: number;
  /** Position of the journal that this shows. Of a large estate it may lie behind that of other answers by some seconds. */
  generation: number;
  /** The page. */
  items: VulnerabilityLine[];
  /** Where the next page begins; absent on the last. It is a place, so that what moves over it is shown twice or not at all. */
  next?: string | null;
  /** ... and of how many something stays open whatever is offered. */
  not_offered: number;
  /** How many are open in all, ... */
  open: number;
  /** How many there are under the filter. */
  total: number;
};

/** A vulnerability in one line: where it stands in the whole estate. `/api/v1/vulnerabilities/{id}` tells all of it. */
export type VulnerabilityLine = {
  /** On how many assets it is open; those where its risk is accepted are not among them. */
  assets: number;
  /** On how many of its assets attacks by it were seen. */
  attacked: number;
  /** CVSS score, of the vector that counts. */
  cvss?: string | null;
  /** EPSS: probability of exploitation in 30 days, in parts per million. */
  epss_ppm?: number | null;
  /** Whether it is exploited somewhere: listed in KEV. */
  exploited: boolean;
  /**
   * Probability that CISA lists it within 30 days, by Tenon's own model, in parts per million: what counts where it is not
   * exploited yet.
   */
  foreseen_ppm?: number | null;
  /** Its id. */
  id: string;
  /** On how many of those no fix is published. */
  no_fix: number;
  /**
   * On how many of them something of it stays open whatever is offered there: there is no fix, or not there, or it waits for a
   * reboot.
   */
  not_offered: number;
  /** Risk points: what is lost by it if nothing is done. */
  points: string;
  /** Since when an advisory that finds it here is known here, RFC 3339. */
  since?: string | null;
};

/** Where a vulnerability stands in the estate. */
export type VulnerabilityView = {
  /** On how many more its risk is accepted: see the exceptions about it. */
  accepted: number;
  /** The advisories about it. */
  advisories: string[];
  /** What the first 50 of them ask for, and of whom. */
  answers: AnswerView[];
  /** Attacks by it that were seen and count, the last first. */
  attacks: DetectionView[];
  /** The controls that stand against it where it is open. */
  controls: ControlView[];
  /** Assets whose operating system some loaded advisory speaks of. */
  covered: number;
  /** CVSS vector. */
  cvss?: string | null;
  /** Open directives that close it. */
  directives: string[];
  /** The model of that score. */
  epss_model?: string | null;
  /** EPSS: probability of exploitation in 30 days, in parts per million. */
  epss_ppm?: number | null;
  /** The exceptions about it that stand. */
  exceptions: ExceptionView[];
  /** The day as of which it is foreseen, RFC 3339. */
  foreseen_as_of?: string | null;
  /** The version of that model. */
  foreseen_model?: string | null;
  /**
   * Probability that CISA lists it within 30 days, by Tenon's own model, in parts per million. It decides how much is lost by it
   * where it is not listed yet. `tenon predict` tells what drives it.
   */
  foreseen_ppm?: number | null;
  /** How many of them each group has. */
  groups: Record<string, number>;
  /** Its id. */
  id: string;
  /** When it was listed in KEV, RFC 3339. */
  in_kev?: string | null;
  /** Whether anything that Tenon has loaded speaks of it. Where nothing does, nothing else here means anything. */
  known: boolean;
  /** All others: of them nothing is known in this matter. Never read it as "not vulnerable". */
  not_covered: number;
  /** On how many assets it is open. */
  open: number;
  /** Since when an advisory about it is known here, RFC 3339. */
  since?: string | null;
  /** How it stands there. */
  standing: StandingView[];
  /** On how many more assets a supplier's statement takes it off the list. */
  suppressed: number;
};

/** The time that cases waited for one kind of thing. */
export type WaitView = {
  /** Its share of all time, in percent with one decimal; `None` where there is none. */
  percent?: string | null;
  /** How long, in seconds. */
  seconds: number;
  /** `person`, `machine` or `window`. */
  waits_for: string;
};

/** Leave to change hosts without evidence. */
export type WaiverBody = {
  /** The assets (`ast_...`); all that lack it where none is named. */
  assets?: string[] | null;
  /** Why. It stays in the record, with your name. */
  why: string;
};

/** A host of a wave. */
export type WaveHostView = {
  /** Its name. */
  hostname: string;
  /** The asset. */
  id: string;
  owner?: AssigneeView | null;
  /** How far the directive is there, as in the directive's own list; `left` where it is no part of it any more. */
  stage: string;
  /** Why it does not show the fix yet; absent where it does. */
  why_not_yet?: string | null;
};

/** Assets that are changed together. */
export type WaveView = {
  /** How many assets it holds. */
  assets: number;
  /** Why these, and why then. */
  because: string;
  /** How many of them show the fix. */
  done: number;
  /** How many of them failed, were rolled back, or need a person. */
  failed: number;
  /** Hosts of it, at most 200. */
  hosts: WaveHostView[];
  /** How many of them may fail before everything stops. */
  may_fail: number;
  /** `canary` or `widening`. */
  phase: string;
  /** How long it is watched before the next, in seconds. */
  soak_seconds: number;
  /** `waiting`, `running`, `watched` or `ended`. */
  state: string;
  /** How many of them have their order, or report a change that a later inventory must confirm. */
  under_way: number;
};

/** Why a directive has its priority: the factors that multiply to what it removes, and what would flip its decision. */
export type WhyView = {
  /** One for each vulnerability and kind of asset, the largest losses first. */
  factors: FactorView[];
  /** The smallest change to a more urgent outcome and to a less urgent one, as far as there are any. */
  flips: FlipView[];
  table?: TableView | null;
};

/** A window. */
export type WindowView = {
  /** Its name. */
  name: string;
  /** When it opens, in words. */
  opens: string;
};

/** What doing a directive takes from an attacker in a zone. */
export type ZoneAfterView = {
  /** Risk points at most now, ... */
  loses: string;
  /** ... and when it is done. */
  loses_after: string;
  /** The zone. */
  name: string;
  /** Whether hosts of the directive stand there. */
  own: boolean;
  /** The likeliest path into it now. */
  path: AttackStepView[];
  /** Whether an attacker is there now, ... */
  reached: BoundsView;
  /** ... and when it is done. */
  reached_after: BoundsView;
};

/** What is allowed between two zones. */
export type ZoneFlowView = {
  /** Where connections begin. */
  from: string;
  /** What passes: `tcp 80, 443`; `any` is everything. */
  passes: string[];
  takes?: BoundsView | null;
  /** Where they end. */
  to: string;
};

/** A zone. */
export type ZoneView = {
  /** How many assets stand in it. */
  assets: number;
  /** The probability that attacks begin there, in parts per million. */
  entry: number;
  /** Those that lose most, at most 20. */
  exploits: ExploitView[];
  /** How many vulnerabilities take hosts of it, by package and by where that listens. */
  exploits_in_all: number;
  /** The first of them by enrolment, at most 20. */
  hosts: ReachHostView[];
  /** Risk points at most: of everything that takes a host of it without a foothold there. */
  loses: string;
  /** Its name. */
  name: string;
  /** The likeliest path into it; empty where attacks begin there, or none leads there. */
  path: AttackStepView[];
  /** Whether an attacker is there. */
  reached: BoundsView;
};
