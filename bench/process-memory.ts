/** Memory of another process, as Linux counts it. */
import { readFile } from "node:fs/promises";

/** Resident memory now and at its highest, in MB; null where /proc does not tell. */
export async function memoryOf(pid: number): Promise<{ nowMb: number; peakMb: number } | null> {
  try {
    const status = await readFile(`/proc/${pid}/status`, "utf8");
    const megabytes = (name: string): number =>
      Math.round(Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)?.[1]) / 1024);
    return { nowMb: megabytes("VmRSS"), peakMb: megabytes("VmHWM") };
  } catch {
    return null;
  }
}
