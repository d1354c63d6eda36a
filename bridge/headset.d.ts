// Generated from lib/ by "npm run types". Do not edit.
import { BridgePhone } from './client.js'

/** A headset whose buttons and lights are a phone's. */
export interface HeadsetConnection {
    /** Whether it has a button that takes and ends calls, one that mutes, and so on. */
    readonly has: Readonly<Record<'hook' | 'mute' | 'flash' | 'reject' | 'ring' | 'lights', boolean>>;
    /** Ends it and puts the lights out; the device stays open. */
    close(): void;
    /** Settles with why it is over. */
    readonly closed: Promise<{
        reason: 'closed' | 'unplugged' | 'phone';
    }>;
}

/** For `navigator.hid.requestDevice({ filters: headsetFilters })`: devices of the telephony page. */
export declare const headsetFilters: {
    usagePage: number;
}[];

/**
 * Makes the buttons of a headset those of a phone, and shows the phone's state by its lights and its ringer. The device is one of
 * WebHID; it is opened if it is not open.
 *
 * The hook takes the call that has rung longest, and ends the one that is talked in or dialled, or else the one on hold. Mute mutes
 * that one. Flash takes a call that waits, else holds the one there is, or takes it off hold. Reject refuses what rings. Calls in a
 * conference are one: whoever sits here is muted in it, all of it is held, and the hook ends it.
 *
 * Connect it in one window alone: in two of them each button is pressed twice.
 *
 * @throws `TypeError` for a device without a hook switch; what WebHID throws if it can't be opened.
 */
export declare function connectHeadset(device: HidDevice, phone: BridgePhone): Promise<HeadsetConnection>;

/** A report's item, as WebHID's `HIDReportItem` has it. */
export interface HidItem {
    isArray?: boolean;
    isAbsolute?: boolean;
    hasPreferredState?: boolean;
    isRange?: boolean;
    /** The usages, each with its page in the upper 16 bits. */
    usages?: readonly number[];
    usageMinimum?: number;
    usageMaximum?: number;
    logicalMinimum?: number;
    reportSize?: number;
    reportCount?: number;
}

/** A report, as WebHID's `HIDReportInfo` has it. */
export interface HidReport {
    reportId?: number;
    items?: readonly HidItem[];
}

/** A collection, as WebHID's `HIDCollectionInfo` has it. */
export interface HidCollection {
    usagePage?: number;
    usage?: number;
    children?: readonly HidCollection[];
    inputReports?: readonly HidReport[];
    outputReports?: readonly HidReport[];
}

/** What of WebHID's `HIDDevice` is used. */
export interface HidDevice {
    readonly opened: boolean;
    readonly collections: readonly HidCollection[];
    readonly productName?: string;
    open(): Promise<void>;
    sendReport(reportId: number, data: Uint8Array<ArrayBuffer>): Promise<void>;
    addEventListener(name: 'inputreport', listener: (event: {
        reportId: number;
        data: DataView;
    }) => void): void;
    removeEventListener(name: 'inputreport', listener: (event: {
        reportId: number;
        data: DataView;
    }) => void): void;
}

export {}
