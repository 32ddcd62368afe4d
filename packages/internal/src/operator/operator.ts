// What the operator of a program sees and orders while it serves, beyond its configuration. It outlives generations.

import { AccessFeed } from "./access-feed.ts";
import { NodeOrders } from "./node-orders.ts";
import { RequestStories } from "./request-stories.ts";

/** There is one for each stage. */
export class Operator {
  /** Orders for nodes of backends. */
  readonly nodes = new NodeOrders();
  /** Access lines for those who follow the traffic. */
  readonly accesses = new AccessFeed();
  /** Requests that are under way, and the last sampled ones. */
  readonly requests = new RequestStories();
}
