// refererChecker: lets requests through by the site whose page made them.

import {
  type Context,
  defineHandlet,
  type Explanation,
  type HandletPart,
  HostnameTable,
  prop,
  type PropsOf,
  type Request,
  type Response,
} from "@hemi/internal";
import { letsThrough, refuse } from "./refuse.ts";

const props = {
  /** Hosts whose pages may: exact names, `*.suffix`, `prefix.*`, or `*`. Scheme and port do not count. */
  hosts: prop.hostnames({ default: [], reload: "live" }),
  /** Whether the pages of the hostname that the request itself is for may, too. */
  allowSelf: prop.bool({ default: true, reload: "live" }),
  /**
   * Whether a request may have no referer, an empty one, or `about:blank`: browsers and their users often leave it out.
   */
  allowEmpty: prop.bool({ default: true, reload: "live" }),
};

/**
 * Refuses with 403, by the field `referer` (RFC 9110 10.1.3). It keeps other sites from showing one's images as theirs.
 * It keeps out nobody who writes requests by hand: a referer can be forged.
 */
export const refererChecker = defineHandlet({
  sign: "refererChecker",
  props,
  create: (context): HandletPart => new RefererChecker(context),
});

class RefererChecker implements HandletPart {
  readonly #context: Context<PropsOf<typeof props>>;
  #table: HostnameTable<true>;

  constructor(context: Context<PropsOf<typeof props>>) {
    this.#context = context;
    this.#table = tableOf(context.props);
  }

  update(): void {
    this.#table = tableOf(this.#context.props);
  }

  handle(req: Request, resp: Response): boolean {
    return this.#isAllowed(req) ? false : refuse(resp, 403);
  }

  explain(req: Request): Explanation {
    return this.#isAllowed(req) ? letsThrough : { takes: "yes", status: 403, text: "its referer may not" };
  }

  #isAllowed(req: Request): boolean {
    const { allowEmpty, allowSelf } = this.#context.props;
    const [referer = "", ...others] = req.headers.getAll("referer");
    if (others.length > 0) return false;
    if (referer === "" || referer === "about:blank") return allowEmpty;
    const hostname = hostnameIn(referer);
    if (hostname === undefined) return false;
    return (allowSelf && hostname === req.hostname) || this.#table.find(hostname) === true;
  }
}

function tableOf({ hosts }: PropsOf<typeof props>): HostnameTable<true> {
  return new HostnameTable(hosts.map((host) => [host, true]));
}

/**
 * As a request's hostname is written: in lower case, without a trailing dot. `undefined` if it is not the URL of a web
 * page.
 */
function hostnameIn(referer: string): string | undefined {
  const url = URL.parse(referer);
  if (url?.protocol !== "http:" && url?.protocol !== "https:") return undefined;
  return url.hostname.replace(/\.$/, "");
}
