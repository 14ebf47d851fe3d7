terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.0"
    }
  }
}

data "aws_region" "current" {}

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

locals {
  region  = data.aws_region.current.region
  account = data.aws_caller_identity.current.account_id
  # arn is what the ARNs of this account and region begin with, up to the service's name.
  arn  = "arn:${data.aws_partition.current.partition}"
  tags = merge({ Application = var.prefix }, var.tags)
}
