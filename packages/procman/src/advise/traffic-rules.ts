// Advice on servers and backends, by what they have counted.

import { counted, percent, type AdviceRule } from "./advice.ts";

/** The node closes idle connections before we do: requests that are sent at that moment are sent again. */
const staleConnections: AdviceRule = ({ backends, time }) =>
  backends
    .filter(({ stale }) => stale > 0)
    .map(({ path, stale, aliveTimeout }) => {
      const present = aliveTimeout === undefined ? "" : `, which is ${aliveTimeout / 1000} s,`;
      return {
        about: path,
        found: `a node closed a kept connection when it was used: ${rate(stale, time)} retries a minute`,
        change: `set aliveTimeout${present} below the idle timeout of the nodes`,
      };
    });

/** Requests got no node. */
const refusingBackend: AdviceRule = ({ backends, time }) =>
  backends
    .filter(({ refused }) => refused > 0)
    .map(({ path, refused, nodes }) => ({
      about: path,
      found:
        `${counted(refused, "request")} got no node within ${Math.round(time)} s; ` +
        `${nodes.filter(({ state }) => state === "up").length} of ${nodes.length} nodes are up`,
      change: "see hemi backend; if all nodes are up, add nodes, or raise maxConnsPerNode and maxQueued",
    }));

/** A share of the work is done twice. */
const manyRetries: AdviceRule = ({ backends }) =>
  backends
    .filter(({ retries, stale, attempts }) => attempts >= enough && retries - stale > attempts * manyShare)
    .map(({ path, retries, stale, attempts, nodes }) => {
      const reason = nodes.find(({ lastFailure }) => lastFailure !== "")?.lastFailure;
      return {
        about: path,
        found:
          `${percent((retries - stale) / attempts)} of the requests were tried again` +
          (reason === undefined ? "" : `, at last because ${reason}`),
        change: "repair or drain the node that fails: see hemi backend",
      };
    });

/** A node that nobody has taken away takes no work. */
const nodesAway: AdviceRule = ({ backends }) =>
  backends.flatMap(({ path, nodes }) =>
    nodes
      .filter(({ state }) => state === "down" || state === "unresolved")
      .map(({ node, state, lastFailure }) => ({
        about: path,
        found: `node ${node} is ${state}${lastFailure === "" ? "" : `: ${lastFailure}`}`,
        change: "repair it, or take it out of the configuration",
      })),
  );

/** Full handshakes cost several times as much as those that resume a session. */
const fewResumptions: AdviceRule = ({ servers }) =>
  servers.flatMap(({ path, fullHandshakes, resumedHandshakes }) => {
    const all = fullHandshakes + resumedHandshakes;
    if (all < enough || resumedHandshakes >= all * fewShare) return [];
    return [
      {
        about: path,
        found: `${percent(resumedHandshakes / all)} of ${counted(all, "TLS handshake")} resumed a session`,
        change:
          "clients that come again should: let all machines behind one name share ticket keys, " +
          "or have a balancer send a client to the same one",
      },
    ];
  });

/** Spans or lines of logs are lost. */
const droppedExports: AdviceRule = ({ exporters, time }) =>
  exporters
    .filter(({ dropped }) => dropped > 0)
    .map(({ path, dropped }) => ({
      about: path,
      found: `dropped ${counted(dropped, "item")} (spans, lines of logs) within ${Math.round(time)} s`,
      change: "see in the error log whether its receiver is down; otherwise send less, or raise maxQueue",
    }));

export const trafficRules: readonly AdviceRule[] = [
  staleConnections,
  refusingBackend,
  manyRetries,
  nodesAway,
  fewResumptions,
  droppedExports,
];

function rate(count: number, time: number): string {
  return ((count * 60) / time).toFixed(1);
}

/** Fewer say nothing. */
const enough = 100;
const manyShare = 0.01;
const fewShare = 0.1;
