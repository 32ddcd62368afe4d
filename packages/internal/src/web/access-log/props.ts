// The prop `accessLog` of a webapp.

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
  /**
   * The file, created with its folders if missing, and appended to; `-` for standard output. If it cannot be opened,
   * the webapp cannot be prepared (HEMI_FILE).
   */
  file: propMaker<string, string>(() => fileType)({ required: true }),
  /** `combined`, `json`, or a text with $variables: those of conditions, and those in `docs/access-log.md`. */
  format: lineFormat({ default: "combined" }),
  /**
   * Maximum size of the file, in bytes. Before it would be exceeded, the file is renamed to FILE.1, the previous FILE.1
   * to FILE.2, and so on. Default: unlimited.
   */
  maxSize: prop.size({ min: "4K" }),
  /** Whether the file is rotated before the first line of a new day, in UTC like the times of all lines. */
  daily: prop.bool({ default: false }),
  /** Number of old files to keep. Older ones are deleted. */
  keep: prop.integer({ default: 10, min: 1, max: maxKeep }),
  /** Query parameters, in the target and in the referer, whose values are written as `[redacted]`. Case-insensitive. */
  redactQueries: prop.strings({ default: [], minLength: 1 }),
  /**
   * Maximum data that waits for a slow or full disk, in bytes. Further lines are lost, and counted in the error log.
   */
  maxBuffer: prop.size({ default: "4M", min: "64K", max: "1G" }),
};

export type AccessLogSettings = PropsOf<typeof accessLogProps>;

/** Reports combinations that are not allowed. */
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
