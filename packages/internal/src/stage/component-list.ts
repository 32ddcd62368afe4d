// The components of a configuration as plain data, for those who look at a running program.

import { formatOrigin, originOf } from "../config/origin.ts";
import type { SourceSpan } from "../config/spec.ts";
import { plainProps } from "../component/resolve/plain-props.ts";
import type { ResolvedComponent } from "../component/resolve/resolved.ts";
import { isTemplate, templateText } from "../component/template.ts";
import { hiddenText, isSecretName, withoutUrlPassword } from "../component/secrets.ts";

/** What a component is, and where it stands. */
export interface ListedComponent {
  /** As in logs: `webapp.shop/rule.3/static`. */
  readonly path: string;
  /** The name of its kind. */
  readonly kind: string;
  /** The word of the configuration that selects it. */
  readonly sign: string;
  /** "" if it has none. */
  readonly name: string;
  /** `shop.conf:12:5`; `undefined` for a TypeScript object. */
  readonly place: string | undefined;
  /**
   * The webapp and the rule that it stands in, by their names: "" where there is none, or none with a name. What it
   * counts has these labels.
   */
  readonly webapp: string;
  /** See `webapp`. */
  readonly rule: string;
}

/** One prop of a component. */
export interface DescribedProp {
  /** As in the configuration, without the dot. */
  readonly name: string;
  /** As JSON, or as the configuration writes it if it has variables; cut at 2,000 characters; secrets are hidden. */
  readonly value: string;
  /** Where it is set, at the component or further out; `undefined`: it is not set, and has its default. */
  readonly place: string | undefined;
}

/** All components under a stage, owners before their children, in the order of the text. */
export function listComponents(stage: ResolvedComponent): readonly ListedComponent[] {
  return [...listed(stage, "", "")].map(([entry]) => entry);
}

/** The props of the component with this path; `undefined`: there is none. Props without a value are left out. */
export function describeProps(stage: ResolvedComponent, path: string): readonly DescribedProp[] | undefined {
  for (const [entry, component] of listed(stage, "", "")) if (entry.path === path) return propsOf(component);
  return undefined;
}

function* listed(
  owner: ResolvedComponent,
  webapp: string,
  rule: string,
): Iterable<readonly [ListedComponent, ResolvedComponent]> {
  for (const child of owner.children) {
    const { sign, name, path, span } = child;
    const kind = child.definition?.kind.name ?? "";
    const inside = kind === "webapp" ? ([name, ""] as const) : ([webapp, kind === "rule" ? name : rule] as const);
    yield [{ path, kind, sign, name, place: placeOfSpan(span), webapp: inside[0], rule: inside[1] }, child];
    yield* listed(child, ...inside);
  }
}

function propsOf(component: ResolvedComponent): readonly DescribedProp[] {
  return Object.entries(plainProps(component)).map(([name, value]) => {
    const { span } = component.placeOf(name);
    const isSet = span.source.text?.slice(span.start, span.end) !== component.sign;
    return { name, value: valueText(name, value), place: isSet ? placeOfSpan(span) : undefined };
  });
}

function valueText(name: string, value: unknown): string {
  if (isSecretName(name)) return hiddenText;
  const shown = withoutUrlPassword(isTemplate(value) ? templateText(value) : plainText(value));
  return shown.length > maxShown ? `${shown.slice(0, maxShown)}…` : shown;
}

function plainText(value: unknown): string {
  const text: unknown = JSON.stringify(value, (key, inner: unknown) => {
    if (isSecretName(key)) return hiddenText;
    return isTemplate(inner) ? templateText(inner) : inner;
  });
  return typeof text === "string" ? text : "";
}

function placeOfSpan(span: SourceSpan): string | undefined {
  const origin = originOf(span);
  return origin === undefined ? undefined : formatOrigin(origin);
}

/** In UTF-16 code units. */
const maxShown = 2000;
