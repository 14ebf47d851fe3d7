# Schema, keys, users, leases, checkpoints. It is the one table that nothing else can rebuild, so it has backups. Fieldgate
# makes and drops the weekly tables of recent events by itself.
resource "aws_dynamodb_table" "keyvalue" {
  name                        = "${var.prefix}-keyvalue"
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = "p"
  range_key                   = "s"
  deletion_protection_enabled = var.protect
  tags                        = local.tags

  attribute {
    name = "p"
    type = "B"
  }

  attribute {
    name = "s"
    type = "B"
  }

  # What deleted keys leave behind.
  ttl {
    enabled        = true
    attribute_name = "x"
  }

  point_in_time_recovery {
    enabled = true
  }

  server_side_encryption {
    enabled     = true
    kms_key_arn = local.kms_key_arn
  }
}
