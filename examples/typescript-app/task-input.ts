// Validates client input.

import { HTTPError, type Request } from "@hemi/hemi";

const maxTextLength = 200;

export type TaskInput = { text?: string; isDone?: boolean };

/**
 * The content as an object. Throws 415 for another type, 400 for invalid JSON; the configuration limits its size (413).
 */
export async function readObject(req: Request): Promise<Readonly<Record<string, unknown>>> {
  if (!/^application\/json(?:;|$)/i.test(req.header("content-type") ?? "")) throw new HTTPError(415);
  const value: unknown = await req.content.json();
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new HTTPError(400, "no object");
  return value as Readonly<Record<string, unknown>>;
}

/** Reads the fields of a task, or reports what is wrong with each. */
export function readTask(
  input: Readonly<Record<string, unknown>>,
): { readonly task: TaskInput } | { readonly errors: readonly string[] } {
  const { text, isDone, ...strangers } = input;
  const task: TaskInput = {};
  const errors = Object.keys(strangers).map((name) => `a task has no ${JSON.stringify(name)}`);
  if (typeof text === "string" && text.trim() !== "" && text.length <= maxTextLength) task.text = text.trim();
  else if (text !== undefined) errors.push(`"text" is a text of 1 to ${maxTextLength} characters`);
  if (typeof isDone === "boolean") task.isDone = isDone;
  else if (isDone !== undefined) errors.push('"isDone" is true or false');
  return errors.length > 0 ? { errors } : { task };
}
