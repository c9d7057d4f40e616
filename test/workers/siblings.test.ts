import { expect, it } from "vitest";
import { isSibling } from "../../workers/home.ts";

const NOW = 1_800_000_000_000;
const here = { host: "forge", pid: 10, now: NOW };
const lives = (pid: number): boolean => pid === 11;

it.each<[string, string, number, boolean]>([
  ["this worker itself", "10@forge", 0, false],
  ["another worker of this machine that lives", "11@forge", 60, true],
  ["another worker of this machine that died", "12@forge", 1, false],
  ["a worker in a container that shares the folder", "7@pod-a", 60, true],
  ["a worker in a container that is gone", "7@pod-a", 71, false],
])("%s counts so", (_about, identity, secondsAgo, expected) => {
  const lastAccessTime = { seconds: NOW / 1000 - secondsAgo } as never;
  expect(isSibling({ identity, lastAccessTime }, here, lives)).toBe(expected);
});
