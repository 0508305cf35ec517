// What a configuration file in TypeScript imports: `import type { StowageConfiguration } from 'stowage'`. The command is main.ts.

export type { Setting, SettingCommand } from './configuration/setting.ts';
export { type StowageConfiguration, settings } from './configuration/settings.ts';
