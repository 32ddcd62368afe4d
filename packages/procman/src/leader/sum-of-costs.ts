// What a reload costs in all workers.

import type { ComponentCost, ReloadCost } from "@hemi/hemi";

export function sumOfCosts(costs: readonly ReloadCost[]): ReloadCost {
  const sums = new Map<string, ComponentCost>();
  for (const cost of costs.flatMap(({ components }) => components)) {
    const { path } = cost;
    const sum = sums.get(path) ?? { path, conns: 0, requests: 0, webSockets: 0, tunnels: 0 };
    sums.set(path, {
      path,
      conns: sum.conns + cost.conns,
      requests: sum.requests + cost.requests,
      webSockets: sum.webSockets + cost.webSockets,
      tunnels: sum.tunnels + cost.tunnels,
    });
  }
  return {
    components: [...sums.values()],
    untouchedConns: costs.reduce((sum, cost) => sum + cost.untouchedConns, 0),
    drainTimeout: Math.max(0, ...costs.map(({ drainTimeout }) => drainTimeout)),
  };
}
