// case: a condition on connections, with the dealets for those that match.

import { isOffered } from "../component/capability.ts";
import type { Child } from "../component/context.ts";
import { compilePartialCondition } from "../component/partial-condition.ts";
import { prop } from "../component/prop.ts";
import { conditionVariables } from "./variables.ts";
import { dealetKind, defineCase, type CasePart, type DealetPart } from "./kinds.ts";
import { tcpsDealet } from "./tcps/dealet.ts";
import { routesDatagrams, udpsDealet } from "./udps/dealet.ts";

const props = {
  /** Names of dealets in the router, instead of dealets inside the case. */
  dealets: prop.list(prop.reference(dealetKind)),
};

/**
 * A condition on connections, with the dealets that handle them, in the order of the text. The first case that matches
 * gets a connection, or a session of datagrams; if all of its dealets leave it, it goes on to the next case. Without a
 * condition, it matches all.
 */
export const caseOfRouter = defineCase({
  sign: "case",
  props,
  check(context) {
    if (context.props.dealets !== undefined && context.hasChild(dealetKind)) {
      context.report({ prop: "dealets", message: "its dealets are named or stand inside it, not both" });
    }
    const isOfDatagrams = context.isWithin(routesDatagrams);
    const needed = isOfDatagrams ? udpsDealet : tcpsDealet;
    for (const dealet of [...context.children(), ...context.references("dealets")]) {
      if (isOffered(needed, dealet.definition.offers)) continue;
      const what = isOfDatagrams ? "datagrams" : "connections of TCP";
      dealet.report({ message: `${dealet.definition.sign} does not handle ${what}` });
    }
  },
  create(context): CasePart {
    const { condition } = context;
    let composed: readonly Child<DealetPart>[] | undefined;
    const compose = (): readonly Child<DealetPart>[] => {
      const named = (context.props.dealets ?? []).map(({ current: part, sign, name, path, origin }) => {
        return { part, sign, name, path, origin };
      });
      return [...context.children(dealetKind), ...named];
    };
    return {
      condition,
      matches: condition === undefined ? () => true : compilePartialCondition(condition, conditionVariables),
      get dealets() {
        // A stage that only explains does not compose.
        return composed ?? compose();
      },
      compose() {
        composed = compose();
      },
    };
  },
});
