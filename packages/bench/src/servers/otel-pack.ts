// For `hemi serve --use`.
export { default } from "@hemi/contrib-otel";
