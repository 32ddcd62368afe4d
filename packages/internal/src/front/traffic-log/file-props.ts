// Where a log with a line for each request or connection goes: its props.

import type { CheckContext } from "../../component/definition.ts";
import { prop } from "../../component/prop.ts";
import { propMaker, type PropsOf, type PropType } from "../../component/props/prop-type.ts";
import { maxKeep } from "../../log/log-file.ts";
import { addonKind } from "../../stage/kinds/addon.ts";
import type { TrafficLogFormat } from "./format.ts";
import { lineSink } from "./line-sink.ts";

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

/** Spread this into the props of a log, which adds `format`. */
export const logFileProps = {
  /**
   * The file, created with its folders if missing, and appended to; `-` for standard output. If it cannot be opened,
   * the component cannot be prepared (HEMI_FILE). A log has either a file or `to`.
   */
  file: propMaker<string, string>(() => fileType)(),
  /** Instead of a file: the addon that takes the lines, such as `syslog`, `journald` or `otel`. */
  to: prop.reference(addonKind, { offering: lineSink }),
  /**
   * Maximum size of the file, in bytes. Before it would be exceeded, the file is renamed to FILE.1, the previous FILE.1
   * to FILE.2, and so on. Default: unlimited.
   */
  maxSize: prop.size({ min: "4K" }),
  /** Whether the file is rotated before the first line of a new day, in UTC like the times of all lines. */
  daily: prop.bool({ default: false }),
  /** Number of old files to keep. Older ones are deleted. */
  keep: prop.integer({ default: 10, min: 1, max: maxKeep }),
  /**
   * Maximum data that waits for a slow or full disk, in bytes. Further lines are lost, and counted in the error log.
   */
  maxBuffer: prop.size({ default: "4M", min: "64K", max: "1G" }),
};

/** Where a log goes, and the format of its lines. */
export type LogFileSettings = PropsOf<typeof logFileProps> & { readonly format: TrafficLogFormat };

/** Reports combinations that are not allowed. `prop` is the one that holds these settings. */
export function checkLogFile<Prop extends string>(
  { file, to, maxSize, daily }: LogFileSettings,
  prop: Prop,
  context: Pick<CheckContext<{ [Name in Prop]: unknown }>, "report" | "claim">,
): void {
  if ((file === undefined) === (to === undefined)) {
    const message = 'a log goes to a file or to an addon: it takes either "file" or "to"';
    return context.report({ prop, message });
  }
  if (maxSize === undefined && !daily) return;
  if (file === standardOutput || file === undefined) {
    const what = file === undefined ? "what goes to an addon" : "standard output";
    context.report({ prop, message: `${what} cannot be rotated: maxSize and daily are for files` });
  } else context.claim({ prop, what: `the rotation of ${file}` });
}
