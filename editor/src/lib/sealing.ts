/**
 * Sound on disk, for projects with `offline_audio = "encrypted"`: AES-GCM under a key that lives in this browser's
 * database, that no script can read out, and that ends with the person's sign-out.
 */

import { clock } from "./clock";
import { type Database, type Held, of } from "./database";

/** Seal *sound* until the end of its hold. */
export async function sealSound(database: Database, held: Held, sound: Blob): Promise<void> {
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const key = await keyOf(database, held.person);
  const bytes = await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData: label(held) }, key, await sound.arrayBuffer());
  const { person, segment } = held;
  await database.put("sounds", { person, segment, iv, bytes, type: sound.type, until: held.lease.until });
}

/** The sound of *held*, if it is here and its hold is not over; one that is over is wiped. */
export async function openSound(database: Database, held: Held): Promise<Blob | null> {
  await wipeOverdue(database, held.person);
  const sealed = await database.get("sounds", [held.person, held.segment]);
  if (sealed === undefined) return null;
  const key = await keyOf(database, held.person);
  try {
    const bytes = await crypto.subtle.decrypt(
      { name: "AES-GCM", iv: sealed.iv, additionalData: label(held) }, key, sealed.bytes,
    );
    return new Blob([bytes], { type: sealed.type });
  } catch {
    // Sealed under a key that is gone.
    await database.delete("sounds", [held.person, held.segment]);
    return null;
  }
}

/** Wipe sounds whose hold is over. */
export async function wipeOverdue(database: Database, person: string, now = clock.text()): Promise<void> {
  for (const sealed of await database.getAll("sounds", of(person))) {
    if (sealed.until < now) await database.delete("sounds", [sealed.person, sealed.segment]);
  }
}

/** Wipe all sounds of *person*, and the key. */
export async function wipeSounds(database: Database, person: string): Promise<void> {
  await database.delete("meta", `sealing:${person}`);
  await database.delete("sounds", of(person));
}

async function keyOf(database: Database, person: string): Promise<CryptoKey> {
  const name = `sealing:${person}`;
  const found = (await database.get("meta", name)) as CryptoKey | undefined;
  if (found !== undefined) return found;
  const made = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
  // Two tabs may come here at once: the first one's key stays.
  const work = database.transaction("meta", "readwrite");
  const other = (await work.store.get(name)) as CryptoKey | undefined;
  if (other === undefined) void work.store.put(made, name);
  await work.done;
  return other ?? made;
}

function label(held: Held): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${held.person} ${held.segment}`);
}
