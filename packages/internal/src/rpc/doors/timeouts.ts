// The deadlines that clients ask for.

import { RpcError } from "@hemi/common/rpc";

/**
 * `grpc-timeout` in ms: at most eight digits and a unit (https://grpc.io/docs/what-is-grpc/core-concepts/#deadlines).
 * Infinity without one. Throws RpcError `invalid_argument`.
 */
export function grpcTimeout(field: string | undefined): number {
  if (field === undefined) return Infinity;
  const [, digits, unit] = /^(\d{1,8})([HMSmun])$/.exec(field) ?? [];
  if (digits === undefined || unit === undefined) return refuse("grpc-timeout", field);
  return Number(digits) * (units[unit] ?? 0);
}

/** `connect-timeout-ms`: at most ten digits. Infinity without one. Throws RpcError `invalid_argument`. */
export function connectTimeout(field: string | undefined): number {
  if (field === undefined) return Infinity;
  return /^\d{1,10}$/.test(field) ? Number(field) : refuse("connect-timeout-ms", field);
}

function refuse(name: string, field: string): never {
  throw new RpcError("invalid_argument", `the field ${name} is malformed: ${field.slice(0, 40)}`);
}

/** In ms. */
const units: { readonly [unit: string]: number | undefined } = {
  H: 3_600_000,
  M: 60_000,
  S: 1000,
  m: 1,
  u: 0.001,
  n: 0.000_001,
};
