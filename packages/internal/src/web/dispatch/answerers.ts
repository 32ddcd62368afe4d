// The order in which a rule calls handlets, and socklets for upgrade requests.
//
//  rule { accessChecker {}  chat {}  httpProxy {} }       inline: in order, so that a checker protects the rest
//  .socklets = ("live")  .handlets = ("app")              then the named socklets, then the named handlets

import type { CheckContext } from "../../component/definition.ts";
import type { Child } from "../../component/context.ts";
import type { Context } from "../../stage/context.ts";
import type { Reference } from "../../component/reference.ts";
import { handletKind, sockletKind, type HandletPart, type ReviserPart, type SockletPart } from "../kinds.ts";

/** A handlet or socklet that may take a request. */
export type Answerer =
  | { readonly kind: "handlet"; readonly child: Child<HandletPart> }
  | { readonly kind: "socklet"; readonly child: Child<SockletPart> };

export interface NamedAnswerers {
  readonly handlets?: readonly Reference<HandletPart>[] | undefined;
  readonly socklets?: readonly Reference<SockletPart>[] | undefined;
}

/** All of a rule, in order. Socklets are called only for upgrade requests. */
export function answerersOf({ children }: Pick<Context, "children">, named: NamedAnswerers): readonly Answerer[] {
  const inline = new Map<Child, Answerer>();
  for (const child of children(handletKind)) inline.set(child, { kind: "handlet", child });
  for (const child of children(sockletKind)) inline.set(child, { kind: "socklet", child });
  return [
    ...children<object>(handletKind, sockletKind).flatMap((child) => inline.get(child) ?? []),
    ...(named.socklets ?? []).map((socklet) => ({ kind: "socklet" as const, child: asChild(socklet) })),
    ...(named.handlets ?? []).map((handlet) => ({ kind: "handlet" as const, child: asChild(handlet) })),
  ];
}

/**
 * Reports each socklet behind a handlet that takes every request: it would never run, and its upgrades would be handled
 * as plain requests.
 */
export function checkReachable(context: CheckContext<NamedAnswerers>): void {
  // Most of thousands of rules have a fixed response.
  if (context.props.socklets === undefined && !context.hasChild(sockletKind)) return;
  const asked = [...context.children(), ...context.references("socklets"), ...context.references("handlets")];
  let taker: CheckContext | undefined;
  for (const one of asked) {
    const { definition } = one;
    if (definition.kind.name === sockletKind.name && taker !== undefined) {
      const message = `it would never run: ${taker.definition.sign} is before it and takes every request`;
      one.report({ message, hint: `put it before ${taker.definition.sign}` });
    }
    if (definition.kind.name === handletKind.name && definition.takesAll?.(one) === true) taker ??= one;
  }
}

/** The current target of a reference. A running exchan keeps it, even if a reload relinks the reference. */
export function asChild<PartType extends HandletPart | SockletPart | ReviserPart>({
  current,
  sign,
  name,
  path,
  origin,
}: Reference<PartType>): Child<PartType> {
  return { part: current, sign, name, path, origin };
}
