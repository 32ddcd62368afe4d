// hostnameChecker: lets requests through by the hostname that they ask for.

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
  /** Exact names, `*.suffix`, `prefix.*`, or `*`. IPv6 addresses stand in brackets. Ports do not count. */
  hostnames: prop.hostnames({ required: true, min: 1, reload: "live" }),
};

/**
 * Answers requests for other hostnames with 421, as a server does that has no webapp for them. It is for parts of a
 * webapp that serve fewer names than the whole; in a default webapp, it stops DNS rebinding. HTTP/1.0 without a host
 * passes `*` only.
 */
export const hostnameChecker = defineHandlet({
  sign: "hostnameChecker",
  props,
  create: (context): HandletPart => new HostnameChecker(context),
});

class HostnameChecker implements HandletPart {
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
    return this.#isServed(req) ? false : refuse(resp, 421);
  }

  explain(req: Request): Explanation {
    return this.#isServed(req) ? letsThrough : { takes: "yes", status: 421, text: "its hostname is not in the list" };
  }

  #isServed(req: Request): boolean {
    return this.#table.find(req.hostname) === true;
  }
}

function tableOf({ hostnames }: PropsOf<typeof props>): HostnameTable<true> {
  return new HostnameTable(hostnames.map((hostname) => [hostname, true]));
}
