// Bundlets: groups of procedures, which clients and servers share as one declaration.

import type { Procedure } from "./procedure.ts";

/** The procedures of a bundlet, by the names that TypeScript code uses. */
export type Procedures = Readonly<Record<string, Procedure>>;

/** A group of procedures: what protobuf calls a service. */
export interface Bundlet<Declared extends Procedures = Procedures> {
  /** Its full name on the wire: `shop.v1.Stock`. */
  readonly name: string;
  readonly procedures: Declared;
  /** The protobuf descriptor (`DescService`), for reflection; `undefined` for one that is declared in TypeScript. */
  readonly descriptor?: unknown;
}

/**
 * Declares a group of procedures in TypeScript: `bundlet("shop.v1.Stock", { find: unary({ input, output }) })`. Throws
 * TypeError for a name that cannot be part of a path.
 */
export function bundlet<const Declared extends Procedures>(name: string, procedures: Declared): Bundlet<Declared> {
  if (!/^[a-z_]\w*(?:\.[a-z_]\w*)*$/i.test(name)) {
    throw new TypeError(`a bundlet has a name such as "shop.v1.Stock", not ${JSON.stringify(name)}`);
  }
  for (const each of Object.keys(procedures)) {
    if (!/^[a-z_]\w*$/i.test(each)) throw new TypeError(`${name} has a procedure that is not a name: ${each}`);
  }
  return { name, procedures };
}

/** The name of a procedure on the wire. */
export function wireNameOf(name: string, { wireName }: Procedure): string {
  return wireName ?? name;
}
