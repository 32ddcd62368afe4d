// Advice on limits: of the system, of the container, and of the configuration.

import { bytes } from "../observe/activity-text.ts";
import { counted, percent, type AdviceRule } from "./advice.ts";

/** The kernel drops connections while the queue of a listening socket is full. */
const fullListenQueue: AdviceRule = ({ machine: { listenDrops = 0, somaxconn }, time }) => {
  if (listenDrops === 0) return [];
  const limit = somaxconn === undefined ? "" : ` (net.core.somaxconn is ${somaxconn})`;
  return [
    {
      about: "machine",
      found:
        `the kernel dropped ${counted(listenDrops, "new connection")} within ${Math.round(time)} s ` +
        `because a queue of a listening socket was full${limit}`,
      change:
        "raise net.core.somaxconn, for example sysctl -w net.core.somaxconn=4096, and restart the program; " +
        "if workers are busy, the queue is full because of them",
    },
  ];
};

/** A worker without free descriptors accepts nothing and opens no file. */
const fewDescriptors: AdviceRule = ({ workers }) =>
  workers
    .filter(({ descriptors, maxDescriptors }) => maxDescriptors > 0 && descriptors > maxDescriptors * nearLimit)
    .map(({ slot, descriptors, maxDescriptors }) => ({
      about: `worker ${slot}`,
      found: `${descriptors} of ${maxDescriptors} file descriptors are open (${percent(descriptors / maxDescriptors)})`,
      change: "raise the limit: LimitNOFILE of the systemd unit, or ulimit -n before the start",
    }));

/** A limit of connections that the system does not let the worker reach. */
const unreachableMaxConns: AdviceRule = ({ servers, workers }) => {
  const least = Math.min(...workers.map(({ maxDescriptors }) => maxDescriptors || Infinity));
  const wanted = servers.reduce((sum, { maxConns }) => sum + Math.ceil(maxConns / workers.length), 0);
  if (!Number.isFinite(least) || wanted <= least) return [];
  return [
    {
      about: "machine",
      found:
        `maxConns of the servers lets each worker have ${counted(wanted, "connection")}, ` +
        `and it may open ${counted(least, "file descriptor")}`,
      change: "raise the limit (LimitNOFILE of the systemd unit, or ulimit -n before the start), or lower maxConns",
    },
  ];
};

/** The kernel kills a process of a control group that uses too much. */
const littleMemory: AdviceRule = ({ workers, machine: { memoryLimit } }) => {
  const used = workers.reduce((sum, { rss }) => sum + rss, 0);
  if (memoryLimit === undefined || used <= memoryLimit * nearLimit) return [];
  return [
    {
      about: "machine",
      found:
        `the workers use ${bytes(used)} of the ${bytes(memoryLimit)} that the control group may use ` +
        `(${percent(used / memoryLimit)})`,
      change:
        "raise the memory limit of the container, start fewer workers, or set --max-memory to about " +
        bytes((memoryLimit * nearLimit) / workers.length),
    },
  ];
};

/** Clients are turned away. */
const reachedMaxConns: AdviceRule = ({ servers, time }) =>
  servers
    .filter(({ refused }) => refused > 0)
    .map(({ path, refused, maxConns }) => ({
      about: path,
      found: `it refused ${counted(refused, "connection")} within ${Math.round(time)} s; maxConns is ${maxConns}`,
      change: "raise maxConns, or see in the error log who is limited by maxConnsPerClient",
    }));

export const limitRules: readonly AdviceRule[] = [
  fullListenQueue,
  fewDescriptors,
  unreachableMaxConns,
  littleMemory,
  reachedMaxConns,
];

/** The share of a limit from which on it is near. */
const nearLimit = 0.8;
