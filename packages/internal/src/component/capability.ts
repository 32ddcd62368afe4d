// Capabilities: what a component offers to components that refer to it, beyond its kind.

import { shape, type Shape } from "./kind.ts";

/**
 * A typed key. A definition lists the capabilities that its parts offer (`offers: [webBackend]`). A reference prop can
 * require one (`prop.reference(backendKind, { offering: webBackend })`); `hemi check` then rejects components that do
 * not offer it.
 */
export interface Capability<Offered = unknown> {
  /**
   * Identifies the capability, also in messages. Two capabilities with the same key are the same one, even if two
   * copies of the engine are loaded.
   */
  readonly key: string;
  /** For types only: the type that a part offers under this key. */
  readonly offered: Shape<Offered>;
}

/**
 * Declares a capability: `capability<LockService>("lock-service")`. A part that offers it has all members of the type,
 * in addition to those of its kind. The key consists of lower-case words joined by `-`. If other packages could choose
 * the same key, prefix it with the package name.
 */
export function capability<Offered extends object>(key: string): Capability<Offered> {
  return { key, offered: shape<Offered>() };
}

/** The type of a part that offers all of these capabilities. */
export type OfferedBy<Offers extends readonly Capability[]> = Offers extends readonly [
  Capability<infer First>,
  ...infer Rest extends readonly Capability[],
]
  ? First & OfferedBy<Rest>
  : unknown;

/** An object that holds a part and lists the capabilities that the part's definition offers. */
export interface Offering {
  readonly offers: readonly Capability[];
  readonly part: object;
}

/**
 * Whether the part offers the capability. The check relies on the definition: its types require that parts have what it
 * offers.
 */
export function isOffering<Holder extends Offering, Offered>(
  holder: Holder,
  capability: Capability<Offered>,
): holder is Holder & { readonly part: Offered } {
  return isOffered(capability, holder.offers);
}

/** Whether `offers` contains the capability. */
export function isOffered({ key }: Capability, offers: readonly Capability[] = []): boolean {
  return offers.some((offered) => offered.key === key);
}
