// What the service and the process that makes previews say to each other.

export interface PreviewSettings {
  /** Longest edge of the picture. */
  readonly edgePixels: number;
  readonly maxPixels: number;
  readonly sourceBytes: number;
  readonly memoryBytes: number;
}

/** Followed by a frame with the picture, empty when none was made. `width` and `height` are the source's, upright. */
export type PreviewAnswer =
  | { readonly made: true; readonly width: number; readonly height: number }
  | { readonly made: false; readonly reason: string };

/** How the process ends when an image needs more memory than allowed. */
export const memoryExitCode = 71;
