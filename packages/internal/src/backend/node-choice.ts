// Which node would get a request, and why none of the others: for `hemi explain`.

import type { NodeAddresses } from "./addresses.ts";
import type { Balancer } from "./balancer.ts";
import type { Node, NodePool } from "./node.ts";
import type { SelectionHint } from "./selection-hint.ts";

/** The result of a choice that is only explained. */
export interface NodeChoice {
  /** `undefined`: no node can take it, or the choice is random. */
  readonly chosen: string | undefined;
  /** By node id: why it would or would not be chosen. */
  readonly nodes: ReadonlyMap<string, string>;
}

/** What a choice is made of. */
export interface ChoiceFacts<Pool extends NodePool> {
  readonly nodes: Iterable<Node<Pool>>;
  /** Those of them that can take the request now. */
  readonly candidates: readonly Node<Pool>[];
  /** Those without an IP address are explained, too. */
  readonly addresses: readonly NodeAddresses[];
  readonly balancer: Balancer;
  readonly maxConnsPerNode: number;
}

/** Returns which node would be chosen, and why each of the others would not. Has no side effects. */
export function explainNodeChoice<Pool extends NodePool>(
  wish: SelectionHint,
  { nodes: all, candidates, addresses, balancer, maxConnsPerNode }: ChoiceFacts<Pool>,
): NodeChoice {
  const [only] = candidates;
  const explained =
    candidates.length > 1
      ? balancer.explain(wish, candidates)
      : { node: only, why: "is the only one that can take it" };
  const nodes = new Map<string, string>();
  for (const node of all) {
    if (node === explained.node) nodes.set(node.id, explained.why);
    else if (candidates.includes(node))
      nodes.set(node.id, explained.node === undefined ? explained.why : "another was better");
    else nodes.set(node.id, whyNot(node, wish, maxConnsPerNode));
  }
  for (const { text, specs, failure } of addresses) if (specs.length === 0) nodes.set(text, failure);
  return { chosen: explained.node?.id, nodes };
}

function whyNot(node: Node, { tried }: SelectionHint, maxConnsPerNode: number): string {
  if (node.state === "drained") return "is drained, as an operator has ordered";
  if (!node.isUsable) return `is ${node.state}`;
  if (node.active >= maxConnsPerNode) return "has its fill";
  if (tried.includes(node.id)) return "was tried already";
  return "is a backup, and others can take it";
}
