// A disk that fills up while clients are at work, and has room again (invariant 8): meanwhile deletes are taken, and afterwards
// puts are, without anybody's help.

import type { SimulatedDisk } from '../../../packages/store/src/testing/simulated-disk.ts';
import { Violation } from './key-account.ts';
import type { Address } from './model.ts';
import { deleteObject, putObject } from './object-requests.ts';
import { sizes } from './sizes.ts';
import { lastingBucket, smallSize, type Workplace } from './workplace.ts';
import { directory, type World } from './world.ts';

/** Enough deletes to use up what the journal has zeroed ahead, and to begin a new segment. */
const mostObjects = 60;
const mostGreedyPuts = 6;
/** Looked at again after so long, so often: puts are taken again within a few seconds. */
const retryMs = 1500;
const maxRetries = 4;
const reservePath = `${directory}/RESERVE`;

/** Puts many small objects, lets the disk fill up, and deletes them. */
export async function fillUpAndClear(place: Workplace, world: World): Promise<void> {
  const { random } = place;
  const { disk } = world;
  const count = random.between(0, mostObjects);
  const addresses: Address[] = Array.from({ length: count }, (_, number) => ({
    bucket: lastingBucket,
    key: `fill/${number}`,
  }));
  await Promise.all(addresses.map((address) => putObject(place, address, random.below(40))));
  await new Promise((resolve) => setTimeout(resolve, random.below(300)));
  disk.capacityBytes = disk.usedBytes + random.pick([0, 0, 4096, random.below(24 * 1024)]);
  world.note(() => `the disk takes ${disk.capacityBytes} bytes and holds ${disk.usedBytes}`);
  const turn = random.below(20);
  const taking = random.chance(0.4) ? takeAnyRoom(place) : undefined;
  for (const [index, address] of addresses.entries()) {
    if (index === turn) await haveRoomForTheReserve(place, disk);
    await deleteObject(place, address);
  }
  await taking;
}

/** Bodies as large as the reserve, one after the other: whatever room is given up for deletes, they would fill it. */
async function takeAnyRoom(place: Workplace): Promise<void> {
  const { random } = place;
  for (let left = mostGreedyPuts; left > 0; left -= 1) {
    const sizeBytes = sizes.reserveSizeBytes + random.below(sizes.reserveSizeBytes);
    await putObject(place, { bucket: lastingBucket, key: 'greedy' }, sizeBytes);
    await new Promise((resolve) => setTimeout(resolve, random.below(100)));
  }
}

/** For a while there is room for the reserve, which may be put back, and for nothing beside it. */
async function haveRoomForTheReserve(place: Workplace, disk: SimulatedDisk): Promise<void> {
  const { random } = place;
  if (random.chance(0.3)) return;
  disk.capacityBytes = disk.usedBytes + sizes.reserveSizeBytes + random.below(sizes.roomForPutsBytes);
  place.note(() => `the disk takes ${disk.capacityBytes} bytes and holds ${disk.usedBytes}`);
  await new Promise((resolve) => setTimeout(resolve, retryMs));
  await putObject(place, { bucket: lastingBucket, key: 'room' }, smallSize(random));
  // What the reserve has given up is there for deletes: nobody else takes it.
  const isHeld = [...disk.files()].some(
    ([path, file]) => path === reservePath && file.sizeBytes === sizes.reserveSizeBytes,
  );
  if (isHeld) disk.capacityBytes = Math.min(disk.capacityBytes, disk.usedBytes + random.below(4096));
}

/** @throws Violation when puts are refused although there is room again. */
export async function putWhenThereIsRoom(place: Workplace, world: World): Promise<void> {
  world.disk.capacityBytes = Number.POSITIVE_INFINITY;
  world.note(() => 'the disk has room again');
  const { model, random } = place;
  for (let left = maxRetries; left > 0; left -= 1) {
    await new Promise((resolve) => setTimeout(resolve, retryMs));
    const before = model.acknowledged;
    await putObject(place, { bucket: lastingBucket, key: 'room' }, smallSize(random));
    if (model.acknowledged > before) return;
  }
  if (place.store.health().status === 'ok')
    throw new Violation('There is room again, and puts are refused all the same.');
}
