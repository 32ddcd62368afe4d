// Failures while a stage starts or stops, combined to one error.

import { PropError } from "../component/prop-error.ts";
import type { ResolvedComponent } from "../component/resolve/resolved.ts";
import type { ErrorCode } from "../errors/codes.ts";
import { ConfigError } from "../config/config-error.ts";
import { HemiError } from "../errors/hemi-error.ts";

export interface Failure {
  /** The component's path. */
  readonly path: string;
  /** The step that failed. */
  readonly done: keyof typeof codes;
  /** The thrown value. */
  readonly error: unknown;
}

/** What a component has thrown. An error of a prop becomes one with its place in the configuration. */
export function failureOf(resolved: ResolvedComponent, done: Failure["done"], error: unknown): Failure {
  const prop = propOf(error);
  const isPlaced = prop !== undefined && error instanceof HemiError;
  return { path: resolved.path, done, error: isPlaced ? placed(error, prop, resolved) : error };
}

/** The prop to blame. Whatever listens has its address from there. */
function propOf(error: unknown): string | undefined {
  if (error instanceof PropError) return error.prop;
  return error instanceof HemiError && error.code === "HEMI_LISTEN" ? "address" : undefined;
}

function placed({ code, message, cause }: HemiError, prop: string, resolved: ResolvedComponent): ConfigError {
  const { span, path } = resolved.placeOf(prop);
  const error = new ConfigError([{ code, message, hint: undefined, span, path }]);
  error.cause = cause;
  return error;
}

const codes = {
  used: "HEMI_STAGE_PREPARE",
  prepared: "HEMI_STAGE_PREPARE",
  composed: "HEMI_STAGE_PREPARE",
  started: "HEMI_STAGE_START",
  changed: "HEMI_STAGE_RELOAD",
  drained: "HEMI_STAGE_SHUTDOWN",
  "shut down": "HEMI_STAGE_SHUTDOWN",
} as const satisfies Record<string, ErrorCode>;

/**
 * One error for one or more failures. It has the code of the first one, and its message names all. The cause is the
 * thrown value; for several failures, an AggregateError of one HemiError for each.
 */
export function failureError(failures: readonly Failure[]): HemiError {
  const errors = failures.map(({ path, done, error: cause }) => {
    // If the failure has a position in the configuration, it starts a new line, so that editors find it.
    const [space, reason] =
      cause instanceof ConfigError
        ? ["\n", cause.message]
        : [" ", cause instanceof Error ? cause.message : String(cause)];
    return new HemiError(codes[done], `${path} could not be ${done}:${space}${reason}`, { cause });
  });
  const [first] = errors;
  if (first !== undefined && errors.length === 1) return first;
  const message = errors.map(({ message }) => message).join("\n");
  return new HemiError(first?.code ?? "HEMI_STAGE_STATE", message, { cause: new AggregateError(errors, message) });
}
