// The balancers, by their names in a configuration.

import type { Balancer } from "../balancer.ts";
import { PowerOfTwo, Random } from "./chance.ts";
import { LeastConn } from "./least-conn.ts";
import { Rendezvous } from "./rendezvous.ts";
import { RoundRobin } from "./round-robin.ts";
import { Sticky } from "./sticky.ts";

export const balancerNames = ["roundRobin", "random", "leastConn", "p2c", "ipHash", "hash", "sticky"] as const;

export type BalancerName = (typeof balancerNames)[number];

export function makeBalancer(name: BalancerName): Balancer {
  switch (name) {
    case "roundRobin":
      return new RoundRobin();
    case "random":
      return new Random();
    case "leastConn":
      return new LeastConn();
    case "p2c":
      return new PowerOfTwo();
    // They differ in the key that the caller provides.
    case "ipHash":
    case "hash":
      return new Rendezvous();
    case "sticky":
      return new Sticky();
  }
}
