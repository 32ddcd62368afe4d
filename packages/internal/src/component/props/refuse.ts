// The error message for a value that a type does not accept.

import { describeConfigValue } from "../value.ts";
import type { Value } from "../value.ts";
import type { PropReader, PropType } from "./prop-type.ts";

/** Reports `.weight takes an integer from 1 to 100, not the string "x"`. */
export function refuse(
  type: Pick<PropType<unknown>, "takes">,
  value: Value,
  label: string,
  reader: PropReader,
  hint?: string,
): undefined {
  reader.report({ span: value.span, message: `${label} takes ${type.takes}, not ${describeConfigValue(value)}`, hint });
}
