// The kinds of layer 4: routers, their cases, and dealets.

import { kind, shape } from "../component/kind.ts";
import type { Condition } from "../component/condition.ts";
import type { Child } from "../component/context.ts";
import type { more } from "../component/partial-condition.ts";
import type { Part } from "../component/part.ts";
import { definer } from "../stage/definer.ts";
import type { DealetExplanation } from "./explain/conn-explanation.ts";
import type { ConnFacts } from "./facts.ts";
import type { TcpsDealet } from "./tcps/dealet.ts";
import type { UdpsDealet } from "./udps/dealet.ts";
import { connVariables } from "./variables.ts";

/** Listens for connections or datagrams, and gives each to the first case that matches. */
export interface RouterPart extends Part {
  /** The addresses that it listens on, after start; the real port for port 0. */
  readonly listensOn?: readonly string[];
}

/** A condition on connections, with the dealets that handle them. */
export interface CasePart extends Part {
  /** Without a condition, it matches everything. `more`: bytes of the client are needed to decide. */
  matches(facts: ConnFacts): boolean | typeof more;
  /** `undefined` matches everything. */
  readonly condition: Condition | undefined;
  /** In the order in which they are tried. */
  readonly dealets: readonly Child<DealetPart>[];
}

/**
 * Handles connections, or sessions of datagrams, or both: what it handles is a capability of its definition,
 * `tcpsDealet` and `udpsDealet`.
 */
export interface DealetPart extends Part, Partial<TcpsDealet & UdpsDealet> {
  /** For `hemi explain`: what it would do with a connection. Has no side effects. Default: only running it tells. */
  explain?(conn: ConnFacts): DealetExplanation;
}

/** Listens for connections of layer 4. */
export const routerKind = kind({
  name: "router",
  rank: 7,
  standsIn: [{ owner: "stage", naming: "required" }],
  variables: connVariables,
  part: shape<RouterPart>(),
  owner: shape<undefined>(),
});

/** A condition on connections, with the dealets that handle them. */
export const caseKind = kind({
  name: "case",
  rank: 7,
  standsIn: [{ owner: "router", naming: "optional" }],
  takesCondition: true,
  variables: connVariables,
  part: shape<CasePart>(),
  owner: shape<RouterPart>(),
});

/** Handles connections, or leaves them to the next dealet. */
export const dealetKind = kind({
  name: "dealet",
  rank: 7,
  standsIn: [
    { owner: "router", naming: "required" },
    { owner: "case", naming: "optional" },
  ],
  variables: connVariables,
  part: shape<DealetPart>(),
  owner: shape<RouterPart | CasePart>(),
});

/** Declares a router: it listens for connections or datagrams, and gives each to the first case that matches. */
export const defineRouter = definer(routerKind);
/** For the engine itself: there is only one definition of a case. */
export const defineCase = definer(caseKind);
/** Declares a dealet: it handles connections, or leaves them to the next dealet. */
export const defineDealet = definer(dealetKind);
