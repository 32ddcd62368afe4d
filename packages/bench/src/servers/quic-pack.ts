// For `hemi serve --use`.
export { default } from "@hemi/contrib-quic";
