// The props of `redis`: where it is, who we are to it, and how long anything may take.

import { type CheckContext, checkNodeTls, nodeTlsProps, prop, type PropsOf } from "@hemi/internal";

export const redisProps = {
  /**
   * Where Redis listens, such as `("127.0.0.1:6379")` or `("/run/redis/redis.sock")`. With `.mode = "sentinel"` the
   * Sentinels, with `.mode = "cluster"` some nodes of the cluster.
   */
  addresses: prop.list(prop.address(), { required: true, min: 1, max: 100 }),
  /** One server, the master that Sentinels name, or a cluster. */
  mode: prop.choice(["single", "sentinel", "cluster"], { default: "single" }),
  /** The name that the Sentinels have for the master. Only with `.mode = "sentinel"`, which needs it. */
  masterName: prop.string({ minLength: 1, maxLength: 1000 }),
  /** The user, as the access control lists of Redis name it. Default: Redis's own, `default`. */
  username: prop.string({ minLength: 1, maxLength: 1000 }),
  /** The password. Keep it out of the file: `%env(REDIS_PASSWORD)`. Default: none. */
  password: prop.string({ minLength: 1, maxLength: 10_000 }),
  ...nodeTlsProps,
  /** The number of the database; a cluster has only 0. */
  database: prop.integer({ default: 0, max: 1_000_000 }),
  /** What all keys begin with, so that several programs can use one Redis. */
  keyPrefix: prop.string({ default: "hemi:", maxLength: 200 }),
  /** Time limit for connecting. */
  connectTimeout: prop.duration({ default: "2s", min: "10ms", max: "1m" }),
  /**
   * Time limit for the answer to a command. While one is overdue, no other one is sent, so that requests do not queue
   * up behind a Redis that stands still: they go on as if it were down. In a cluster, that holds for each node.
   */
  commandTimeout: prop.duration({ default: "1s", min: "5ms", max: "1m", reload: "live" }),
  /** If Redis owes an answer and sends nothing for so long, the connection is closed, and another one is made. */
  stallTimeout: prop.duration({ default: "5s", min: "50ms", max: "10m" }),
  /** The longest pause between two tries to connect. The first one is 50 ms, and each further one twice as long. */
  maxRetryInterval: prop.duration({ default: "2s", min: "50ms", max: "10m" }),
  /** Commands under way at once, in each worker; further ones fail at once. */
  maxPending: prop.integer({ default: 10_000, min: 1, max: 1_000_000, reload: "live" }),
};

export type RedisProps = PropsOf<typeof redisProps>;

/** Reports what belongs to another mode, and what it lacks. */
export function checkRedis(context: CheckContext<RedisProps>): void {
  const { props, report } = context;
  checkNodeTls(context);
  if (props.mode === "single" && props.addresses.length > 1) {
    const message = `.addresses has ${props.addresses.length} addresses, and one server has one`;
    report({ prop: "addresses", message, hint: 'several are for .mode = "sentinel" or "cluster"' });
  }
  for (const address of props.addresses) {
    if (props.mode === "single" || !("path" in address)) continue;
    report({ prop: "addresses", message: `a ${props.mode} is reached by TCP, not by ${address.path}` });
  }
  if (props.mode === "sentinel" && props.masterName === undefined) {
    report({ prop: "masterName", message: "Sentinels are asked for a master by its name: set .masterName" });
  }
  if (props.mode !== "sentinel" && props.masterName !== undefined) {
    report({ prop: "masterName", message: "only Sentinels know masters by name", hint: 'set .mode = "sentinel"' });
  }
  if (props.mode === "cluster" && props.database !== 0) {
    report({ prop: "database", message: "a cluster has only database 0" });
  }
  if (props.username !== undefined && props.password === undefined) {
    report({ prop: "username", message: "a user needs a password: set .password" });
  }
}
