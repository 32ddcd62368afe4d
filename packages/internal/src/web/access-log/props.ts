// The prop `accessLog` of a webapp.

import { prop } from "../../component/prop.ts";
import type { PropsOf } from "../../component/props/prop-type.ts";
import { logFileProps } from "../../front/traffic-log/file-props.ts";
import { formatProp } from "../../front/traffic-log/format.ts";
import { accessVariables } from "./access-variables.ts";
import { samplingProps } from "./sampling.ts";

export const accessLogProps = {
  ...logFileProps,
  /** `combined`, `json`, or a text with $variables: those of conditions, and those in `docs/access-log.md`. */
  format: formatProp(accessVariables((uri) => uri))({ default: "combined" }),
  /** Query parameters, in the target and in the referer, whose values are written as `[redacted]`. Case-insensitive. */
  redactQueries: prop.strings({ default: [], minLength: 1 }),
  ...samplingProps,
};

export type AccessLogSettings = PropsOf<typeof accessLogProps>;
