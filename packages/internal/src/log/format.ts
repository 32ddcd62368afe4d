// The two formats of a record: lines for people, JSON lines for programs.

import { formatISOTime } from "@hemi/common";
import { describeValue, reportError } from "./error-report.ts";
import type { ErrorReport } from "./error-report.ts";
import { escapeUnsafe } from "./escape.ts";
import type { LogRecord } from "./record.ts";

/** One record, including its line end. */
export type LogFormat = (record: LogRecord) => string;

/** Longer messages are cut. Otherwise a peer could fill the log's buffer with one line. */
const maxMessage = 8192;

/**
 * A record starts in the first column and its details are indented, so that no error can look like a record:
 *
 *    2026-01-31T12:00:00.000Z error webapp.shop/static #17 cannot send the file name="a b"
 *        HemiError HEMI_FILE: cannot read /srv/a
 *            at open (file.ts:1:2)
 *        caused by Error: EIO: i/o error, read
 */
export const formatText: LogFormat = (record) => {
  let line = `${formatISOTime(record.time)} ${record.level}`;
  if (record.path !== "") line += ` ${escapeUnsafe(record.path)}`;
  if (record.details?.requestId !== undefined) line += ` #${escapeUnsafe(describeValue(record.details.requestId))}`;
  line += ` ${escapeUnsafe(clipMessage(record.message))}`;
  for (const [name, value] of fieldsOf(record)) {
    const text = describeValue(value);
    line += ` ${escapeUnsafe(name)}=${escapeUnsafe(/^[^\s"=]+$/.test(text) ? text : JSON.stringify(text))}`;
  }
  line += "\n";
  const error = record.details?.error;
  return error === undefined ? line : line + errorText(reportError(error), "    ", "");
};

/**
 * `{"time":"…","level":"error","path":"…","requestId":"17","message":"…","name":"a b","error":{"name":…,"stack":[…]}}`
 */
export const formatJson: LogFormat = (record) => {
  const { error, requestId } = record.details ?? {};
  const fields: [string, unknown][] = [];
  for (const [name, value] of fieldsOf(record)) {
    const isPlain = typeof value === "boolean" || (typeof value === "number" && Number.isFinite(value));
    fields.push([reservedNames.has(name) ? `_${name}` : name, isPlain ? value : describeValue(value)]);
  }
  const json = JSON.stringify({
    time: formatISOTime(record.time),
    level: record.level,
    path: record.path === "" ? undefined : record.path,
    requestId: requestId === undefined ? undefined : describeValue(requestId),
    message: clipMessage(record.message),
    ...Object.fromEntries(fields),
    error: error === undefined ? undefined : errorJson(reportError(error)),
  });
  // JSON.stringify does not escape DEL, C1 controls and bidirectional marks. They occur inside strings only.
  return `${escapeUnsafe(json)}\n`;
};

/** A field of the caller must not look like a field of the record. */
const reservedNames = new Set(["time", "level", "path", "message"]);

function* fieldsOf(record: LogRecord): Iterable<[string, unknown]> {
  if (!record.details) return;
  for (const entry of Object.entries(record.details)) {
    if (entry[0] !== "error" && entry[0] !== "requestId" && entry[1] !== undefined) yield entry;
  }
}

function errorText(report: ErrorReport, indent: string, lead: string): string {
  // Errors of Node.js start their message with their code. It is not repeated.
  const code = report.code === undefined || report.message.includes(report.code) ? "" : ` ${report.code}`;
  let text = `${indent}${lead}${escapeUnsafe(`${report.name}${code}: ${report.message}`)}\n`;
  for (const frame of report.stack) text += `${indent}    ${escapeUnsafe(frame)}\n`;
  for (const error of report.errors) text += errorText(error, `${indent}    `, "one of them: ");
  if (report.cause) text += errorText(report.cause, indent, "caused by ");
  return text;
}

function errorJson(report: ErrorReport): object {
  return {
    name: report.name,
    code: report.code,
    message: report.message,
    stack: report.stack,
    cause: report.cause && errorJson(report.cause),
    errors: report.errors.length === 0 ? undefined : report.errors.map(errorJson),
  };
}

function clipMessage(message: string): string {
  return message.length > maxMessage ? `${message.slice(0, maxMessage)}…` : message;
}
