// All definitions that a stage may use, by sign.

import { quote } from "../../config/quote.ts";
import { HemiError } from "../../errors/hemi-error.ts";
import type { Definition } from "../definition.ts";
import type { Kind } from "../kind.ts";
import type { Pack } from "../pack.ts";

export interface Registry {
  /** Finds a definition by its sign or by an older sign. */
  find(sign: string): Definition | undefined;
  /** Every definition once, in the order of the packs. */
  readonly definitions: readonly Definition[];
}

/**
 * Throws HEMI_CONFIG_SIGN_CONFLICT if two definitions have the same sign. Throws HEMI_USAGE for a definition whose kind
 * is not in the table, which happens if two copies of the engine are loaded. The same definition in two packs is no
 * conflict.
 */
export function registry(packs: readonly Pack[], kinds: readonly Kind[]): Registry {
  const bySign = new Map<string, { readonly definition: Definition; readonly pack: string }>();
  for (const { name: pack, definitions } of packs) {
    for (const definition of definitions) {
      if (!kinds.includes(definition.kind)) throw strangeKind(definition, pack);
      for (const sign of [definition.sign, ...(definition.aliases ?? [])]) {
        const other = bySign.get(sign);
        if (other === undefined) bySign.set(sign, { definition, pack });
        else if (other.definition !== definition) throw conflict(sign, other.pack, pack);
      }
    }
  }
  return {
    find: (sign) => bySign.get(sign)?.definition,
    definitions: [...new Set([...bySign.values()].map(({ definition }) => definition))],
  };
}

function conflict(sign: string, first: string, second: string): HemiError {
  const packs = first === second ? `${first} defines it twice` : `${first} and ${second} both define it`;
  return new HemiError("HEMI_CONFIG_SIGN_CONFLICT", `the sign ${quote(sign)} is ambiguous: ${packs}`);
}

function strangeKind({ sign, kind }: Definition, pack: string): HemiError {
  const message = `${pack} defines ${quote(sign)} with a kind, ${kind.name}, that this engine does not have: is @hemi/internal installed twice?`;
  return new HemiError("HEMI_USAGE", message);
}
