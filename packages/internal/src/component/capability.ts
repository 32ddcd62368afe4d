// Capabilities: what a component offers to those that refer to it, beyond what its kind says.

import { shape, type Shape } from "./kind.ts";

/**
 * A typed key. A definition lists the capabilities that its parts offer (`offers: [webBackend]`); a reference prop asks for one
 * (`prop.reference(backendKind, { offering: webBackend })`), and `hemi check` refuses components that do not offer it.
 */
export interface Capability<Offered = unknown> {
  /** Two capabilities with the same key are one, even if two copies of the engine are loaded. For messages, too. */
  readonly key: string;
  /** For types only: what a part offers under this key. */
  readonly offered: Shape<Offered>;
}

/**
 * Declares a capability: `capability<LockService>("lock-service")`. A part that offers it has all members of the type, beside those
 * of its kind. Words in lower case, joined by `-`; prefixed by a package's name where others could have the same idea.
 */
export function capability<Offered extends object>(key: string): Capability<Offered> {
  return { key, offered: shape<Offered>() };
}

/** What a part must be to offer all of these. */
export type OfferedBy<Offers extends readonly Capability[]> = Offers extends readonly [
  Capability<infer First>,
  ...infer Rest extends readonly Capability[],
]
  ? First & OfferedBy<Rest>
  : unknown;

/** Something that holds a part, with what its definition says that it offers. */
export interface Offering {
  readonly offers: readonly Capability[];
  readonly part: object;
}

/** Whether the part offers the capability: definitions are made with what they say that they offer. */
export function isOffering<Holder extends Offering, Offered>(
  holder: Holder,
  capability: Capability<Offered>,
): holder is Holder & { readonly part: Offered } {
  return isOffered(capability, holder.offers);
}

/** Whether the capability is among those that something offers. */
export function isOffered({ key }: Capability, offers: readonly Capability[] = []): boolean {
  return offers.some((offered) => offered.key === key);
}
