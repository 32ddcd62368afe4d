// All the types of props under one name: `prop.size({ default: "1M", max: "1G" })`.

import { address, addresses } from "./props/addresses.ts";
import { dict, list, record, strings } from "./props/collections.ts";
import { module, path, paths } from "./props/files.ts";
import { hostnames } from "./props/hostnames.ts";
import { reference } from "./props/references.ts";
import { bool, duration, integer, size } from "./props/scalars.ts";
import { choice, string, template } from "./props/texts.ts";

/** Each takes `default` or `required`, `inherited`, `aliases`, `reload`, and the bounds of its type. */
export const prop = {
  /** `true` or `false`. */
  bool,
  /** A whole number from 0 on, with bounds: `prop.integer({ default: 100, min: 1, max: 1000 })`. */
  integer,
  /** An amount of bytes, as a number: `64K`, `2M`. Its bounds and default may be written `"64K"`. */
  size,
  /** A time in ms, as a number: `500ms`, `30s`, `2m`, `1d`. Its bounds and default may be written `"30s"`. */
  duration,
  /** A text, with bounds on its length, or a pattern. */
  string,
  /** A list of texts: `("a", "b")`. */
  strings,
  /** One of a few words: `prop.choice(["fast", "safe"], { default: "safe" })`. */
  choice,
  /** A dict with props of its own: `prop.record({ address: prop.address({ required: true }) })`. */
  record,
  /** A list of values of one type: `prop.list(prop.integer(), { max: 10 })`. */
  list,
  /** A dict of any keys, with values of one type, as a Map. */
  dict,
  /** Where to listen or to connect to: `"127.0.0.1:3080"`, `":3080"`, `"unix:/run/app.sock"`. */
  address,
  /** A set of IP addresses and networks: `("10.0.0.0/8", "::1")`. */
  addresses,
  /** A file or folder, absolute once it is read; a relative one starts from the base directory. */
  path,
  /** Files in order. One alone needs no list around it. */
  paths,
  /** Names that a webapp is reached by: `"shop.example"`, `"*.shop.example"`, `"shop.*"`, `"*"`. */
  hostnames,
  /** Text with variables, worked out for each request: `"hello, " + $srcHost`. */
  template,
  /** A TypeScript or JavaScript file of the program, which the component loads when it prepares. */
  module,
  /**
   * Another component, by its name: `prop.reference(backendKind)`.
   * Read it as `props.name.current` each time, because a reload may relink it.
   */
  reference,
};
