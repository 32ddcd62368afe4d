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
  bool,
  integer,
  size,
  duration,
  string,
  strings,
  choice,
  record,
  list,
  dict,
  address,
  addresses,
  path,
  paths,
  hostnames,
  template,
  module,
  reference,
};
