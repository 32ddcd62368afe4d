// client: calls the procedures of a bundlet like methods of an object.

import {
  makeClient,
  type Bundlet,
  type Client,
  type ClientSettings,
  type Procedures,
  type Transport,
} from "@hemi/common/rpc";
import { connectTransport } from "./connect-transport.ts";

/** Where a client calls, and how. */
export interface ClientOptions extends ClientSettings {
  /** A URL, which is called by Connect over fetch, or any other transport. */
  readonly to: string | Transport;
}

/** Makes a client: `const stock = client(stockBundlet, { to: "https://shop.example" })`. */
export function client<Declared extends Procedures>(
  bundlet: Bundlet<Declared>,
  { to, ...settings }: ClientOptions,
): Client<Declared> {
  return makeClient(bundlet, typeof to === "string" ? connectTransport(to) : to, settings);
}
