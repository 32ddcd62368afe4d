// Backends and their nodes as a table for people.

import type { NodeOrder } from "@hemi/hemi/base";
import { plainText } from "../observe/plain-text.ts";
import type { ProgramBackend, ProgramNode } from "./backend-actions.ts";

/** A block for each backend, with a line for each node. */
export function backendsText(backends: readonly ProgramBackend[]): string {
  if (backends.length === 0) return "the program has no backend\n";
  return backends.map(backendText).join("\n");
}

function backendText({ path, queued, nodes }: ProgramBackend): string {
  const head = `${plainText(path)}, ${queued} ${queued === 1 ? "waits" : "wait"} for a node`;
  const columns = `  ${"node".padEnd(30)}${"state".padEnd(12)}weight  active  failures  last failure`;
  return `${[head, columns, ...nodes.map(nodeText)].join("\n")}\n`;
}

function nodeText({ node, address, state, states, weight, configuredWeight, ...rest }: ProgramNode): string {
  const { isBackup, active, failures, lastFailure } = rest;
  const name = address === "" || address === node ? node : `${node} ${address}`;
  // What only some of the workers see.
  const counts = Object.entries(states);
  const seen = counts.length === 1 ? state : counts.map(([word, count]) => `${word} ${count}`).join(", ");
  const share = weight === configuredWeight ? String(weight) : `${round(weight)}/${configuredWeight}`;
  return [
    `  ${plainText(name).padEnd(29)} ${seen.padEnd(11)} ${share.padStart(6)}`,
    String(active).padStart(6),
    `${String(failures).padStart(8)}  ${isBackup ? "(backup) " : ""}${plainText(lastFailure)}`.trimEnd(),
  ].join("  ");
}

/** An order in a few words. */
export function orderText({ backend, node, isDrained, weight }: NodeOrder): string {
  const words = [...(isDrained ? ["drained"] : []), ...(weight === undefined ? [] : [`weight ${weight}`])];
  return `${plainText(backend)} node ${plainText(node)}: ${words.join(", ")}`;
}

function round(weight: number): number {
  return Math.round(weight * 100) / 100;
}
