// The clients of a history: each asks for one thing after the other, drawn from the seed, over few keys, so that they meet.

import { administer } from './bucket-requests.ts';
import {
  conditionFor,
  copyObject,
  deleteObject,
  discardBody,
  listObjects,
  putAtOnce,
  putObject,
  readObject,
} from './object-requests.ts';
import { workOnUpload } from './upload-requests.ts';
import { largeSize, smallSize, type Workplace } from './workplace.ts';

/** How often a client does what. */
const actions = {
  putSmall: 24,
  putLarge: 9,
  putConditionally: 8,
  putAtOnce: 3,
  delete: 12,
  deleteConditionally: 3,
  copy: 8,
  upload: 8,
  read: 8,
  list: 2,
  discard: 2,
  pause: 6,
  administer: 5,
} as const;

/** @param administers one client alone does. */
export async function runClient(place: Workplace, administers: boolean, goesOn: () => boolean): Promise<void> {
  while (goesOn()) await act(place, place.random.pickWeighted(actions), administers);
}

function act(place: Workplace, action: keyof typeof actions, administers: boolean): Promise<void> {
  const { random, model } = place;
  const address = place.address();
  switch (action) {
    case 'putSmall':
      return putObject(place, address, smallSize(random));
    case 'putLarge':
      return putObject(place, address, largeSize(random));
    case 'putConditionally':
      return putObject(place, address, smallSize(random), conditionFor(place, address));
    case 'putAtOnce':
      return putAtOnce(place, address);
    case 'delete':
      return deleteObject(place, address);
    case 'deleteConditionally':
      return deleteObject(place, address, model.current(address)?.etag);
    case 'copy':
      return copyObject(place, address, random.chance(0.15) ? address : place.address());
    case 'upload':
      return workOnUpload(place);
    case 'read':
      return readObject(place, address);
    case 'list':
      return listObjects(place, address.bucket);
    case 'discard':
      return discardBody(place);
    case 'pause':
      return new Promise((resolve) => setTimeout(resolve, random.below(200)));
    case 'administer':
      return administers ? administer(place) : deleteObject(place, address);
  }
}
