// The `accessLog` of a webapp, as a configuration has it.

import type { CheckContext } from "../../component/definition.ts";
import { prop } from "../../component/prop.ts";
import { propMaker, type PropsOf, type PropType } from "../../component/props/prop-type.ts";
import { maxKeep } from "../../log/log-file.ts";
import { lineFormat } from "./line-format.ts";

/** Standard output instead of a file. */
export const standardOutput = "-";

const fileType: PropType<string> = {
  name: "path",
  takes: 'a path, or "-" for standard output',
  read(value, label, reader) {
    const isStandardOutput = value.type === "string" && value.value === standardOutput;
    return isStandardOutput ? standardOutput : prop.path().type.read(value, label, reader);
  },
  jsonSchema: () => prop.path().type.jsonSchema(),
};

export const accessLogProps = {
  /** Created with its folders and appended to, or `-` for standard output. One that cannot be opened: the webapp cannot be prepared (HEMI_FILE). */
  file: propMaker<string, string>(() => fileType)({ required: true }),
  /** `combined`, `json`, or a text with $variables: those of conditions, and those that `docs/access-log.md` tells of. */
  format: lineFormat({ default: "combined" }),
  /** Before the file would become larger, in bytes, it becomes FILE.1, what was that FILE.2, and so on. Default: never. */
  maxSize: prop.size({ min: "4K" }),
  /** Does the file become an old one with the first line of another day? In UTC, as the times of all lines are. */
  daily: prop.bool({ default: false }),
  /** So many old files are kept; more are deleted. */
  keep: prop.integer({ default: 10, min: 1, max: maxKeep }),
  /** Parameters of queries, in the target and in the referer, whose values are written as `[redacted]`. Their case does not count. */
  redactQueries: prop.strings({ default: [], minLength: 1 }),
  /** So much may wait for a slow or full disk, in bytes; what goes beyond is lost, and counted in the error log. */
  maxBuffer: prop.size({ default: "4M", min: "64K", max: "1G" }),
};

export type AccessLogSettings = PropsOf<typeof accessLogProps>;

/** Reports what cannot be so together. */
export function checkAccessLog(
  { file, maxSize, daily }: AccessLogSettings,
  context: Pick<CheckContext<{ accessLog: unknown }>, "report" | "claim">,
): void {
  if (maxSize === undefined && !daily) return;
  if (file === standardOutput) {
    const message = "standard output cannot be rotated: maxSize and daily are for files";
    context.report({ prop: "accessLog", message });
  } else context.claim({ prop: "accessLog", what: `the rotation of ${file}` });
}
