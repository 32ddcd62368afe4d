// Writes out what a configuration has in short form: see shorthand.ts.

import type { ComponentSpec } from "../../config/spec.ts";
import type { Definition } from "../definition.ts";
import type { ShorthandScope } from "../shorthand.ts";

/** The stage with all shorthands written out; components that they add stand at its end. */
export function expandShorthands(
  stage: ComponentSpec,
  definitionOf: (sign: string) => Definition | undefined,
): ComponentSpec {
  const added = new Map<string, ComponentSpec>();
  const scope: ShorthandScope = {
    names: (kind) =>
      stage.children.flatMap(({ sign, name }) =>
        name !== undefined && definitionOf(sign)?.kind.name === kind ? name : [],
      ),
    add(spec) {
      const key = `${spec.sign} ${spec.name}`;
      if (!added.has(key)) added.set(key, spec);
    },
  };
  function expand(spec: ComponentSpec): ComponentSpec {
    const expanded = definitionOf(spec.sign)?.shorthand?.(spec, scope) ?? spec;
    const children = expandAll(expanded.children);
    return children === expanded.children ? expanded : { ...expanded, children };
  }
  /** The same list where nothing changes: most of a large configuration is not copied. */
  function expandAll(children: readonly ComponentSpec[]): readonly ComponentSpec[] {
    const expanded = children.map(expand);
    return expanded.some((child, index) => child !== children[index]) ? expanded : children;
  }
  const children = expandAll(stage.children);
  return children === stage.children && added.size === 0
    ? stage
    : { ...stage, children: [...children, ...added.values()] };
}
