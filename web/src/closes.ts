import type { DirectiveView } from "./api.gen";

/** The id Tenon makes up for a security update that no advisory explains. It names an update, not a vulnerability. */
const MADE_UP = "VENDOR:";

/** The published vulnerabilities that a directive closes. */
export const closesPublished = ({ closes }: DirectiveView): string[] => closes.filter((id) => !id.startsWith(MADE_UP));
