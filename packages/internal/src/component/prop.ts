// All types of props under one name: `prop.size({ default: "1M", max: "1G" })`.

import { address, addresses, addressRange } from "./props/addresses.ts";
import { dict, list, record, strings } from "./props/collections.ts";
import { module, path, paths } from "./props/files.ts";
import { hostnames } from "./props/hostnames.ts";
import { reference } from "./props/references.ts";
import { bool, duration, integer, size } from "./props/scalars.ts";
import { choice, string, template } from "./props/texts.ts";

/** Each function takes `default` or `required`, `inherited`, `aliases`, `reload`, and the bounds of its type. */
export const prop = {
  /** `true` or `false`. */
  bool,
  /** An integer from 0, with bounds: `prop.integer({ default: 100, min: 1, max: 1000 })`. */
  integer,
  /** A number of bytes: `64K`, `2M`. Bounds and default may also be written as `"64K"`. */
  size,
  /** A duration in milliseconds: `500ms`, `30s`, `2m`, `1d`. Bounds and default may also be written as `"30s"`. */
  duration,
  /** A text, with bounds on its length or a pattern. */
  string,
  /** A list of texts: `("a", "b")`. */
  strings,
  /** One of several words: `prop.choice(["fast", "safe"], { default: "safe" })`. */
  choice,
  /** A dict with its own props: `prop.record({ address: prop.address({ required: true }) })`. */
  record,
  /** A list of values of one type: `prop.list(prop.integer(), { max: 10 })`. */
  list,
  /** A dict with arbitrary keys and values of one type, as a Map. */
  dict,
  /** An address to listen on or connect to: `"127.0.0.1:3080"`, `":3080"`, `"unix:/run/app.sock"`. */
  address,
  /** An address to listen on, of which the port may be a range: `":8000-8010"`. */
  addressRange,
  /** A set of IP addresses and networks: `("10.0.0.0/8", "::1")`. */
  addresses,
  /** A file or folder, as an absolute path. A relative path is resolved against the base directory. */
  path,
  /** Files in order. A single file needs no list. */
  paths,
  /** Hostnames of a webapp: `"shop.example"`, `"*.shop.example"`, `"shop.*"`, `"*"`. */
  hostnames,
  /** Text with variables, evaluated for each request: `"hello, " + $srcHost`. */
  template,
  /** A TypeScript or JavaScript file of the program. The component loads it in `prepare`. */
  module,
  /**
   * Another component, by its name: `prop.reference(backendKind)`. Read `props.name.current` at each use, because a
   * reload may relink it.
   */
  reference,
};
