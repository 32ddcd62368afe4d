// The short form of a proxy: `.to = ("127.0.0.1:3081")` stands for a backend of these nodes, with the default props of
// backends.

import { prop } from "../../component/prop.ts";
import type { Shorthand } from "../../component/shorthand.ts";
import type { CheckContext } from "../../component/definition.ts";
import type { ComponentSpec, PropSpec, ValueSpec } from "../../config/spec.ts";

export const ownBackendProps = {
  /**
   * Addresses of nodes, instead of the name of a backend: `.to = ("127.0.0.1:3081")`. They form an http1Backend with
   * default props, which is named after its nodes; proxies with equal nodes share it. It takes precedence over an
   * inherited `toBackend`. Both in one component are a mistake.
   */
  to: prop.list(prop.string({ minLength: 1 }), { min: 1 }),
};

/** Makes `.to` a backend of the stage, and `.toBackend` its name. */
export const ownBackend: Shorthand = (spec, stage) => {
  const to = spec.props.find(({ name }) => name === "to");
  const nodes = to?.value.type === "list" ? to.value.items : [];
  if (to === undefined || nodes.length === 0 || spec.props.some(({ name }) => name === "toBackend")) return spec;
  const wanted = nodes.map(nameOf).join(", ");
  const name = stage.names("backend").includes(wanted) ? `${wanted} (of .to)` : wanted;
  stage.add({ ...bareBackend(to, nodes), name });
  const toBackend: PropSpec = { ...to, name: "toBackend", value: { type: "string", value: name, span: to.value.span } };
  return { ...spec, props: spec.props.map((prop) => (prop === to ? toBackend : prop)) };
};

/** Reports `.to` beside `.toBackend`: alone, it is gone by now. */
export function checkOwnBackend(context: CheckContext<{ readonly to: readonly string[] | undefined }>): void {
  if (context.props.to === undefined) return;
  context.report({ prop: "to", message: "it names its nodes by .to, or a backend by .toBackend, not both" });
}

function bareBackend(to: PropSpec, nodes: readonly ValueSpec[]): ComponentSpec {
  const { span, nameSpan } = to;
  const records = nodes.map((node): ValueSpec => {
    return { type: "dict", entries: [{ key: "address", keySpan: node.span, value: node }], span: node.span };
  });
  const value: ValueSpec = { type: "list", items: records, span: to.value.span };
  return {
    sign: "http1Backend",
    signSpan: nameSpan,
    name: undefined,
    nameSpan: undefined,
    condition: undefined,
    props: [{ name: "nodes", nameSpan, value, span }],
    children: [],
    span,
  };
}

/**
 * The address, or how it is written where the environment says it. Names hold no slash; different nodes have different
 * names.
 */
function nameOf({ span, ...node }: ValueSpec): string {
  const text = node.type === "string" ? node.value : (span.source.text?.slice(span.start, span.end) ?? node.type);
  return text
    .replaceAll("%2F", "%252F")
    .replaceAll("/", "%2F")
    .replace(/\p{Cc}/gu, " ");
}
