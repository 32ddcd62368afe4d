// A resolved component that knows its place in the configuration.

import type { SourceSpan } from "../../config/spec.ts";
import type { Condition } from "../condition.ts";
import type { Definition } from "../definition.ts";
import { placeOfProp, type Place } from "./place.ts";
import type { PropPlace, ResolvedComponent, ResolvedReference } from "./resolved.ts";

export class PlacedComponent implements ResolvedComponent {
  readonly definition: Definition | undefined;
  readonly sign: string;
  readonly name: string;
  readonly path: string;
  readonly condition: Condition | undefined;
  readonly props: Readonly<Record<string, unknown>>;
  readonly references: readonly ResolvedReference[];
  readonly children: readonly ResolvedComponent[];
  readonly span: SourceSpan;
  readonly #place: Place;

  constructor(
    place: Place,
    {
      condition,
      props,
      references,
      children,
    }: Pick<ResolvedComponent, "condition" | "props" | "references" | "children">,
  ) {
    const { definition, spec, path } = place;
    this.definition = definition;
    this.sign = definition?.sign ?? spec.sign;
    this.name = spec.name ?? "";
    this.path = path;
    this.condition = condition;
    this.props = props;
    this.references = references;
    this.children = children;
    this.span = spec.span;
    this.#place = place;
  }

  placeOf(prop: string): PropPlace {
    return placeOfProp(this.#place, prop);
  }
}
