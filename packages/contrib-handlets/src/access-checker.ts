// accessChecker: lets clients in by their addresses.

import { parseNetwork, VerdictTable } from "@hemi/common";
import {
  type Context,
  defineHandlet,
  type Explanation,
  type HandletPart,
  prop,
  type PropsOf,
  type Request,
  type Response,
} from "@hemi/internal";
import { LRUCache } from "lru-cache";
import { letsThrough, refuse } from "./refuse.ts";

const props = {
  /** Whom to let in: CIDRs or single addresses. */
  allow: prop.addresses({ default: [], reload: "live" }),
  /** Whom to refuse. Of all networks in both lists that hold an address, the one with the longest prefix decides. */
  deny: prop.addresses({ default: [], reload: "live" }),
  /** What happens to addresses in neither list, and to clients that come over a UNIX socket and have none. */
  otherwise: prop.choice(["allow", "deny"], { default: "deny", reload: "live" }),
};

/**
 * Refuses with 403, by `$srcHost`; whom it lets in it leaves to the next handlet or rule. An IPv4 address mapped into
 * IPv6 is the IPv4 address; `::/0` holds all IPv6 addresses, and no others.
 */
export const accessChecker = defineHandlet({
  sign: "accessChecker",
  props,
  check(context) {
    const { allow, deny, otherwise } = context.props;
    if (otherwise === "deny" && allow.texts.length === 0) {
      const hint = 'set .allow, or set .otherwise = "allow" to refuse only those in .deny';
      context.report({ message: "it would let nobody in", hint });
    }
    const allowed = new Set(allow.texts.map(networkId));
    for (const text of deny.texts) {
      if (!allowed.has(networkId(text))) continue;
      context.report({ prop: "deny", message: `.deny: ${JSON.stringify(text)} stands in .allow as well` });
    }
  },
  create: (context): HandletPart => new AccessChecker(context),
});

class AccessChecker implements HandletPart {
  readonly #context: Context<PropsOf<typeof props>>;
  #table: VerdictTable;
  /**
   * Verdicts on those who came before. They are kept by address and not by connection, because a proxy's connection may
   * carry requests of many clients.
   */
  readonly #verdicts = new LRUCache<string, boolean>({ max: 1000 });

  constructor(context: Context<PropsOf<typeof props>>) {
    this.#context = context;
    this.#table = tableOf(context.props);
  }

  update(): void {
    this.#table = tableOf(this.#context.props);
    this.#verdicts.clear();
  }

  handle(req: Request, resp: Response): boolean {
    const address = req.srcHost;
    let isAllowed = this.#verdicts.get(address);
    if (isAllowed === undefined) {
      isAllowed = this.#isAllowed(address);
      this.#verdicts.set(address, isAllowed);
    }
    return isAllowed ? false : refuse(resp, 403);
  }

  explain({ srcHost }: Request): Explanation {
    if (this.#isAllowed(srcHost)) return letsThrough;
    return { takes: "yes", status: 403, text: `${srcHost} may not` };
  }

  #isAllowed(address: string): boolean {
    return this.#table.find(address) ?? this.#context.props.otherwise === "allow";
  }
}

function tableOf({ allow, deny }: PropsOf<typeof props>): VerdictTable {
  return new VerdictTable([
    ...allow.texts.map((text) => [text, true] as const),
    ...deny.texts.map((text) => [text, false] as const),
  ]);
}

/** The same for two ways to write one network. */
function networkId(text: string): string {
  return JSON.stringify(parseNetwork(text));
}
