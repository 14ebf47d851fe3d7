locals {
  streams = {
    raw    = var.stream_shards
    staged = var.stream_shards
    errors = 1
  }
}

# Where a stream is provisioned, Fieldgate's scaling policy sets its shards from then on.
resource "aws_kinesis_stream" "this" {
  for_each = local.streams

  name             = "${var.prefix}-${each.key}"
  shard_count      = var.stream_mode == "PROVISIONED" ? each.value : null
  retention_period = var.stream_retention_hours
  encryption_type  = "KMS"
  kms_key_id       = local.kms_key_arn

  enforce_consumer_deletion = !var.protect
  tags                      = local.tags

  stream_mode_details {
    stream_mode = var.stream_mode
  }

  lifecycle {
    ignore_changes = [shard_count]
  }
}
