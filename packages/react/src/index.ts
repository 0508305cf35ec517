// React hooks over @stowage/client. Thin: what can be done without React is done there.

export type { DroppedFiles } from './dropped-files.ts';
export { useStowage } from './stowage-context.ts';
export { StowageProvider } from './stowage-provider.tsx';
export { useDropTarget } from './use-drop-target.ts';
export { useFilePicker } from './use-file-picker.ts';
export { useOnline } from './use-online.ts';
export { useUpload, useUploadEvents, useUploads } from './use-uploads.ts';
