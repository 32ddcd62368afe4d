// `hemi backend`: shows the backends of a running program, drains nodes and gives them other weights.

import { nearestNames } from "@hemi/common";
import { HemiError } from "@hemi/hemi/base";
import { maxWeight, type NodeChange } from "../backends/backend-actions.ts";
import { backendsText } from "../backends/backend-text.ts";
import type { CommandLine } from "../command-line.ts";
import { callProgram } from "../control/client.ts";
import { programPlace } from "../control/place.ts";
import { exitCodes, type ExitCode } from "../exit-code.ts";

export async function backend(line: CommandLine): Promise<ExitCode> {
  const place = programPlace(line);
  const change = readBackendArguments(line.rest);
  const backends =
    "node" in change ? [await callProgram(place, "steerNode", change)] : await callProgram(place, "backends", change);
  process.stdout.write(line.isJSON ? `${JSON.stringify(backends, undefined, 2)}\n` : backendsText(backends));
  return exitCodes.fine;
}

/** `[B [node N drain|up|weight W]]`. Throws HEMI_USAGE. */
export function readBackendArguments(rest: readonly string[]): NodeChange | { readonly backend?: string } {
  const [backend, word, node, action, weight, ...others] = rest;
  if (backend === undefined) return {};
  if (word === undefined) return { backend };
  if (word !== "node") throw usage(`after the backend comes node, not ${word}`);
  if (node === undefined) throw usage("node needs the address of a node");
  if (action === undefined || !actions.some((known) => known === action)) {
    const [nearest] = nearestNames(action ?? "", actions);
    const hint = nearest === undefined ? actions.join(", ") : `did you mean ${nearest}?`;
    throw usage(
      action === undefined ? `node ${node} needs one of ${actions.join(", ")}` : `a node has no ${action}; ${hint}`,
    );
  }
  if (others.length > 0 || (action !== "weight" && weight !== undefined)) {
    throw usage(`there is too much behind ${action}`);
  }
  if (action !== "weight") return { backend, node, isDrained: action === "drain" };
  return { backend, node, weight: readWeight(weight) };
}

function readWeight(text: string | undefined): number | null {
  if (text === "default") return null;
  const weight = /^\d{1,4}$/.test(text ?? "") ? Number(text) : 0;
  if (weight < 1 || weight > maxWeight) throw usage(`weight takes a number from 1 to ${maxWeight}, or default`);
  return weight;
}

function usage(what: string): HemiError {
  return new HemiError("HEMI_USAGE", `${what}; see hemi help backend`);
}

const actions = ["drain", "up", "weight"] as const;
