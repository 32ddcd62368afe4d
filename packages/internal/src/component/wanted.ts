// The requirements of a reference: the kind and the capability of its target.

import { isOffered, type Capability } from "./capability.ts";
import { describeKind, shape, type Kind, type Shape } from "./kind.ts";

/** `PartType`: the type of the target's part. */
export interface Wanted<PartType extends object = object> {
  readonly kind: Kind;
  /** `undefined`: any component of the kind is accepted. */
  readonly offering: Capability | undefined;
  readonly part: Shape<PartType>;
}

export function wanted<PartType extends object, Offered>(
  kind: Kind<PartType>,
  offering: Capability<Offered> | undefined,
): Wanted<PartType & Offered> {
  return { kind, offering, part: shape<PartType & Offered>() };
}

/** Whether a definition meets the requirements. */
export function isWanted(
  { kind, offers }: { readonly kind: Kind; readonly offers?: readonly Capability[] },
  { kind: wantedKind, offering }: Wanted,
): boolean {
  return kind === wantedKind && (offering === undefined || isOffered(offering, offers));
}

/** For messages: `a backend`, `a backend that offers "http-backend"`. */
export function describeWanted({ kind, offering }: Pick<Wanted, "kind" | "offering">): string {
  return describeKind(kind) + (offering === undefined ? "" : ` that offers "${offering.key}"`);
}
